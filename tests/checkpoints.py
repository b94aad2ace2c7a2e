"""Tiny checkpoints of every family that encoders load, built and saved here."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

TEXT = "postgres stores rows in pages and finds them by an index; a vector of numbers stands for the meaning of a text."
HIDDEN = 32


def _seed(seed: int) -> None:
    torch.manual_seed(seed)


def bert_tokenizer() -> BertTokenizer:
    words = sorted({*TEXT.replace(";", " ;").replace(".", " .").split(), *"abcdefghijklmnopqrstuvwxyz,!?'"})
    pieces = [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]", *words, *pieces]
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(vocabulary)}, model_max_length=48)


def _bert_config(tokenizer: BertTokenizer) -> BertConfig:
    return BertConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=48)  # fmt: skip


def bert(directory: Path, seed: int = 1, pooler: bool = True) -> Path:
    """A plain BERT; without a pooler it is what a masked language model leaves behind."""
    tokenizer = bert_tokenizer()
    _seed(seed)
    model = BertModel(_bert_config(tokenizer)) if pooler else BertForMaskedLM(_bert_config(tokenizer))
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def roberta(directory: Path) -> Path:
    """A plain RoBERTa: byte-level BPE, <s> and </s>, positions that start after the padding index."""
    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())  # fmt: skip
    bpe.train_from_iterator([TEXT] * 3, trainer)
    bpe.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", unk_token="<unk>",
        pad_token="<pad>", mask_token="<mask>", model_input_names=["input_ids", "attention_mask"])  # fmt: skip
    _seed(3)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=42, type_vocab_size=1, pad_token_id=1, bos_token_id=0,
        eos_token_id=2)  # fmt: skip
    RobertaForMaskedLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def cross_encoder(directory: Path, outputs: int = 1) -> Path:
    """A BERT with a head that scores a pair of texts."""
    tokenizer = bert_tokenizer()
    _seed(8)
    config = _bert_config(tokenizer)
    config.num_labels = outputs
    BertForSequenceClassification(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def sbert(directory: Path, seed: int = 1, prompts: dict[str, str] | None = None) -> Path:
    """A Sentence-BERT checkpoint: modules.json, mean pooling."""
    transformer = Transformer(str(bert(directory / "backbone", seed)))
    model = SentenceTransformer(modules=[transformer, Pooling(HIDDEN, "mean")], prompts=prompts, device="cpu")
    model.save_pretrained(str(directory / "sbert"))
    return directory / "sbert"


def colbert(directory: Path, dims: int = 16) -> Path:
    """A multi-vector checkpoint with a projection, query expansion by [MASK], and punctuation skipped."""
    _seed(5)
    transformer = Transformer(
        str(bert(directory / "backbone", 5)), document_length=30,
        query_expansion={"strategy": "fixed", "attend": False, "length": 12})  # fmt: skip
    dense = Dense(
        HIDDEN, dims, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"
    )
    model = MultiVectorEncoder(
        modules=[transformer, dense, MultiVectorMask([".", ";"]), Normalize(module_input_name="token_embeddings")],
        device="cpu")  # fmt: skip
    model.save_pretrained(str(directory / "colbert"))
    return directory / "colbert"


def stanford(directory: Path, dims: int = 24) -> Path:
    """A checkpoint in Stanford ColBERT's layout: HF_ColBERT, linear.weight beside the backbone, artifact.metadata."""
    bert(directory, 6)
    file = directory / "model.safetensors"
    weights = {f"bert.{name}": tensor for name, tensor in load_file(file).items()}
    _seed(7)
    weights["linear.weight"] = torch.randn(dims, HIDDEN)
    save_file(weights, file, metadata={"format": "pt"})
    config = json.loads((directory / "config.json").read_text())
    config["architectures"] = ["HF_ColBERT"]
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "artifact.metadata").write_text(
        json.dumps({"query_maxlen": 14, "doc_maxlen": 40, "dim": dims, "mask_punctuation": True,
                    "query_token_id": "[unused0]", "doc_token_id": "[unused1]"}))  # fmt: skip
    return directory
