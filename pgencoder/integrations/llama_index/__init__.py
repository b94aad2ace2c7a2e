"""For LlamaIndex: a retriever for the passages of any collection, and a vector store with its own table."""

from __future__ import annotations

from pgencoder.errors import MissingExtra

try:
    import llama_index.core  # noqa: F401
except ImportError as error:
    raise MissingExtra(
        "pgencoder.integrations.llama_index needs LlamaIndex; install it: pip install 'pgencoder[llama-index]'"
    ) from error

from pgencoder.integrations.llama_index.retriever import PgencoderRetriever
from pgencoder.integrations.llama_index.store import PgencoderVectorStore

__all__ = ["PgencoderRetriever", "PgencoderVectorStore"]
