"""The vector store for LlamaIndex, with vectors that are given and with an encoder of pgencoder's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from llama_index.core import MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms import MockLLM
from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageNode,
    IndexNode,
    MediaResource,
    Node,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
)
from llama_index.core.vector_stores import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.core.vector_stores.types import VectorStoreQueryMode

from pgencoder import Database
from pgencoder.errors import FingerprintMismatch, InvalidRequest, InvalidSource
from pgencoder.integrations import langchain
from pgencoder.integrations.llama_index import PgencoderVectorStore
from tests.connections import Connection
from tests.encoder import WordEncoder

WORDS = WordEncoder()
TEXTS = {"r": "red green blue", "y": "red green yellow", "b": "black white", "p": "black purple"}
METADATA: dict[str, dict[str, Any]] = {
    "r": {"lang": "en", "year": 2019, "tags": ["a", "b"], "title": "On Replicas"},
    "y": {"lang": "en", "year": 2022.5, "tags": ["b"], "title": "on 50% of lag", "author": {"name": "Ä"}},
    "b": {"lang": "de", "tags": [], "title": "", "document_id": "its own"},
    "p": {"lang": None, "year": "2022"},
}
DOCUMENTS = {"r": "one", "y": "one", "b": "two"}


class WordEmbedding(BaseEmbedding):
    """The dense vectors of the word encoder, as LlamaIndex has them."""

    def _get_text_embedding(self, text: str) -> list[float]:
        vector: list[float] = WORDS.encode_query(text).dense.tolist()
        return vector

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


EMBEDDING = WordEmbedding()
OR, NOT = FilterCondition.OR, FilterCondition.NOT


def node(key: str, text: str | None = None) -> TextNode:
    document = DOCUMENTS.get(key)
    text = TEXTS[key] if text is None else text
    return TextNode(
        id_=key,
        text=text,
        metadata=METADATA[key],
        embedding=EMBEDDING.get_text_embedding(text or "none"),
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document)} if document else {},
    )


def nodes() -> list[TextNode]:
    return [node(key) for key in TEXTS]


@pytest.fixture(params=["given", "maxsim"])
def empty_store(request: pytest.FixtureRequest, db: Database) -> PgencoderVectorStore:
    if request.param == "given":
        return PgencoderVectorStore.create(db, "Nodes %s", embed_dim=32)
    return PgencoderVectorStore.create(db, "Nodes %s", encoder=WordEncoder())


@pytest.fixture
def store(empty_store: PgencoderVectorStore) -> PgencoderVectorStore:
    assert empty_store.add(nodes()) == list(TEXTS)
    return empty_store


def asked(text: str, k: int = 9, **query: Any) -> VectorStoreQuery:
    return VectorStoreQuery(EMBEDDING.get_query_embedding(text), k, query_str=text, **query)


def ids(store: PgencoderVectorStore, text: str = "red green blue", k: int = 9, **query: Any) -> list[str]:
    found = store.query(asked(text, k, **query))
    assert found.nodes is not None
    assert found.ids == [each.node_id for each in found.nodes]
    assert found.similarities is not None
    assert len(found.similarities) == len(found.ids)
    return found.ids


def where(*filters: Any, condition: FilterCondition | None = FilterCondition.AND) -> MetadataFilters:
    return MetadataFilters(
        filters=[
            each
            if isinstance(each, MetadataFilters)
            else MetadataFilter(key=each[0], operator=FilterOperator(each[1]), value=each[2] if len(each) > 2 else None)
            for each in filters
        ],
        condition=condition,
    )


def test_nodes_come_back_as_they_were(store: PgencoderVectorStore) -> None:
    found = store.query(asked("red green blue", 1))
    assert found.nodes is not None
    (first,) = found.nodes
    assert isinstance(first, TextNode)
    assert (first.node_id, first.text, first.metadata, first.ref_doc_id) == ("r", TEXTS["r"], METADATA["r"], "one")
    assert first.hash == nodes()[0].hash
    assert ids(store)[:2] == ["r", "y"]
    assert sorted(ids(store)) == sorted(TEXTS)
    assert ids(store, k=2) == ["r", "y"]
    scores = store.query(asked("red green blue")).similarities
    assert scores == sorted(scores or [], reverse=True)
    # a node's own document_id is not taken for its document
    assert store.get_nodes(["b"])[0].metadata == METADATA["b"]


CASES: list[tuple[Any, Any]] = [
    (where(("lang", "==", "en")), "ry"),
    (where(("lang", "!=", "en")), "bp"),
    (where(("year", "==", 2019)), "r"),
    (where(("year", "!=", 2019)), "ybp"),
    (where(("year", ">", 2019)), "y"),
    (where(("year", ">=", 2019)), "ry"),
    (where(("year", "<", 2022.5)), "r"),
    (where(("year", "<=", 2022.5)), "ry"),
    (where(("year", ">=", "2022")), "p"),
    (where(("lang", "in", ["en", "fr"])), "ry"),
    (where(("year", "in", [2019, 2022])), "r"),
    (where(("lang", "in", ["de"])), "b"),
    (where(("lang", "in", [])), ""),
    (where(("lang", "nin", ["en"])), "bp"),
    (where(("year", "nin", [2019])), "ybp"),
    (where(("tags", "contains", "a")), "r"),
    (where(("title", "contains", "On Replicas")), ""),
    (where(("tags", "any", ["a", "c"])), "r"),
    (where(("tags", "any", [])), ""),
    (where(("tags", "all", ["b", "a"])), "r"),
    (where(("tags", "==", ["b"])), "y"),
    (where(("title", "text_match", "on")), "y"),
    (where(("title", "text_match", "50%")), "y"),
    (where(("title", "text_match", "5_%")), ""),
    (where(("title", "text_match_insensitive", "ON ")), "ry"),
    (where(("year", "text_match", "2019")), ""),
    (where(("tags", "is_empty")), "bp"),
    (where(("title", "is_empty")), "bp"),
    (where(("lang", "is_empty")), "p"),
    (where(("lang", "==")), "p"),
    (where(("author.name", "==", "Ä")), "y"),
    (where(("lang", "==", "en"), ("year", ">", 2019)), "y"),
    (where(("lang", "==", "en"), ("year", ">", 2019), condition=None), "y"),
    (where(("lang", "==", "de"), ("year", ">", 2019), condition=OR), "yb"),
    (where(("lang", "==", "de"), ("year", ">", 2019), condition=NOT), "rp"),
    (where(("year", "!=", 2019), where(("lang", "==", "de"), ("year", ">", 1), condition=OR)), "yb"),
    (where(where(where(("lang", "==", "en")), condition=NOT), condition=NOT), "ry"),
    (where(), "rybp"),
    (where(where(), ("nothing", "==", 1)), ""),
    (where(("ref_doc_id", "==", "one")), "ry"),
    (where(("doc_id", "in", ["two"])), "b"),
    (where(("document_id", "==", "two")), ""),
    (where(("document_id", "==", "its own")), "b"),
    (where(("doc_id", "is_empty")), "p"),
    (where(("it's \"; --", "==", "%s'")), ""),
]  # fmt: skip


def test_filters(store: PgencoderVectorStore) -> None:
    for filters, expected in CASES:
        assert sorted(ids(store, filters=filters)) == sorted(expected), filters
        assert sorted(each.node_id for each in store.get_nodes(filters=filters)) == sorted(expected), filters
        opposite = where(filters, condition=NOT)
        assert sorted(ids(store, filters=opposite)) == sorted(set(TEXTS) - set(expected)), filters


def test_what_narrows_a_search(store: PgencoderVectorStore) -> None:
    assert sorted(ids(store, node_ids=["b", "p", "gone"])) == ["b", "p"]
    assert sorted(ids(store, doc_ids=["one", "gone"])) == ["r", "y"]
    assert ids(store, doc_ids=[]) == []
    assert ids(store, doc_ids=["gone"]) == []
    assert sorted(ids(store, node_ids=[])) == sorted(TEXTS)  # what an index gives that knows of no nodes
    assert ids(store, doc_ids=["one"], node_ids=["y", "b"], filters=where(("lang", "==", "en"))) == ["y"]
    assert ids(store, doc_ids=["one"], node_ids=["b"]) == []


def test_filters_are_applied_inside_the_recall(empty_store: PgencoderVectorStore) -> None:
    many = [node("r", f"red green blue {i}").model_copy(update={"id_": f"many {i}"}) for i in range(300)]
    empty_store.add([*many, node("b")])
    found = empty_store.query(asked("red green blue", 3, filters=where(("lang", "==", "de"))), candidates=1)
    assert found.ids == ["b"]


def test_adding_again_replaces(store: PgencoderVectorStore) -> None:
    again = TextNode(id_="r", text="orange", metadata={"new": 1}, embedding=EMBEDDING.get_text_embedding("orange"))
    older = again.model_copy(update={"embedding": EMBEDDING.get_text_embedding("red")})
    older.set_content("red")
    assert store.add([older, again]) == ["r", "r"]
    assert ids(store, "orange", 1) == ["r"]
    (found,) = store.get_nodes(["r"])
    assert (found.get_content(), found.metadata, found.ref_doc_id) == ("orange", {"new": 1}, None)
    assert len(store.get_nodes()) == 4
    assert store.add([]) == []


def test_another_vector_of_the_same_text_counts(db: Database) -> None:
    store = PgencoderVectorStore.create(db, "vectors", embed_dim=2)
    same = [TextNode(id_=str(i), text="same", embedding=vector) for i, vector in enumerate([[1.0, 0.0], [0.0, 2.0]])]
    store.add(same)
    query = VectorStoreQuery([0.0, 5.0], 1)
    assert (store.query(query).ids, store.query(query).similarities) == (["1"], [1.0])
    same[0].embedding = [0.0, 1.0]
    same[1].embedding = [1e-10, 0.0]  # smaller than halves can be, but a direction all the same
    store.add(same)
    assert store.query(query).ids == ["0"]
    assert store.query(VectorStoreQuery([1.0, 0.0], 1)).ids == ["1"]


def test_deleting(store: PgencoderVectorStore) -> None:
    store.delete("nothing")
    store.delete_nodes()
    store.delete_nodes(["nothing"])
    store.delete_nodes([])
    store.delete_nodes(["r", "b"], where(("lang", "==", "fr")))
    assert sorted(ids(store)) == sorted(TEXTS)
    store.delete_nodes(["r", "b"], where(("lang", "==", "de")))
    assert sorted(ids(store)) == ["p", "r", "y"]
    store.delete_nodes(filters=where(("lang", "is_empty")))
    assert sorted(ids(store)) == ["r", "y"]
    store.delete_nodes(["r"])
    assert ids(store) == ["y"]
    store.add(nodes())
    store.delete("one")
    assert sorted(ids(store)) == ["b", "p"]
    assert store.client.status()[0].passages == 2
    store.clear()
    assert ids(store) == []
    assert store.get_nodes() == []
    assert store.client.status()[0].passages == 0


def test_getting(store: PgencoderVectorStore) -> None:
    def got(*arguments: Any) -> list[str]:
        return [each.node_id for each in store.get_nodes(*arguments)]

    assert got(["p", "gone", "r", "p"]) == ["p", "r"]
    assert got(["p", "r"], where(("lang", "==", "en"))) == ["r"]
    assert got(["p"], where(("lang", "==", "en"))) == []
    assert got([]) == []
    assert sorted(got()) == sorted(TEXTS)


def test_maximal_marginal_relevance(store: PgencoderVectorStore) -> None:
    def mmr(threshold: float, **query: Any) -> list[str]:
        return ids(store, k=2, mode=VectorStoreQueryMode.MMR, mmr_threshold=threshold, **query)

    assert mmr(1) == ["r", "y"]
    assert mmr(0.1)[0] == "r"
    assert mmr(0.1)[1] != "y"
    assert mmr(0.1, filters=where(("lang", "==", "en"))) == ["r", "y"]
    found = store.query(asked("red green blue", 2, mode=VectorStoreQueryMode.MMR), mmr_threshold=1.0)
    assert found.ids == ["r", "y"]
    assert ids(store, mode=VectorStoreQueryMode.MMR, doc_ids=[]) == []


@pytest.mark.parametrize(
    "kind",
    [
        TextNode(id_="1", text="red"),
        Node(id_="1", text_resource=MediaResource(text="red")),
        IndexNode(id_="1", text="red", index_id="other", obj=TextNode(id_="inner", text="inner")),
        ImageNode(id_="1", text="red", image="aGVsbG8="),
    ],
    ids=lambda each: type(each).__name__,
)
def test_nodes_of_every_kind(empty_store: PgencoderVectorStore, kind: BaseNode) -> None:
    given = kind.model_copy()
    given.embedding = EMBEDDING.get_text_embedding("red")
    given.metadata = {"day": datetime(2024, 2, 29, tzinfo=UTC), "n": {"x": [1.0, None]}}
    given.excluded_llm_metadata_keys = ["day"]
    empty_store.add([given])
    assert ids(empty_store, "red") == ["1"]
    (found,) = empty_store.get_nodes(["1"])
    assert type(found) is type(kind)
    assert found.get_content() == "red"
    assert found.metadata == {"day": "2024-02-29T00:00:00Z", "n": {"x": [1.0, None]}}
    assert found.excluded_llm_metadata_keys == ["day"]
    if isinstance(kind, IndexNode | ImageNode):
        assert isinstance(found, IndexNode | ImageNode)
        assert found.to_dict() == {**given.to_dict(), "embedding": None, "metadata": found.metadata}


def test_a_node_without_text_is_kept(store: PgencoderVectorStore) -> None:
    assert store.add([node("r", ""), node("y", " \n")]) == ["r", "y"]
    assert sorted(ids(store)) == ["b", "p"]
    assert [each.get_content() for each in store.get_nodes(["r", "y"])] == ["", " \n"]


# -- an index on the store


def index_on(store: PgencoderVectorStore) -> VectorStoreIndex:
    return VectorStoreIndex.from_vector_store(store, EMBEDDING if store.is_embedding_query else MockEmbedding(1))


def retrieved(index: VectorStoreIndex, text: str = "red green blue", **search: Any) -> list[str]:
    return [found.node.get_content() for found in index.as_retriever(**search).retrieve(text)]


def test_an_index(empty_store: PgencoderVectorStore) -> None:
    documents = [
        Document(id_=key, text=text, metadata={"key": key}, excluded_embed_metadata_keys=["key"])
        for key, text in TEXTS.items()
    ]
    VectorStoreIndex.from_documents(
        documents,
        storage_context=StorageContext.from_defaults(vector_store=empty_store),
        embed_model=EMBEDDING if empty_store.is_embedding_query else MockEmbedding(1),
    )
    index = index_on(empty_store)  # in another process
    assert retrieved(index, similarity_top_k=1) == [TEXTS["r"]]
    assert retrieved(index, similarity_top_k=9, filters=where(("key", "==", "b"))) == [TEXTS["b"]]
    assert retrieved(index, similarity_top_k=9, doc_ids=["y"]) == [TEXTS["y"]]
    settings: dict[str, Any] = {
        "similarity_top_k": 2,
        "vector_store_query_mode": "mmr",
        "vector_store_kwargs": {"mmr_threshold": 1.0},
    }
    assert retrieved(index, **settings) == [TEXTS["r"], TEXTS["y"]]
    index.delete_ref_doc("r")
    assert retrieved(index, similarity_top_k=1) == [TEXTS["y"]]
    index.update_ref_doc(Document(id_="y", text="black white red"))
    assert sorted(retrieved(index, similarity_top_k=9)) == ["black purple", "black white", "black white red"]
    (first,) = [each for each in empty_store.get_nodes() if each.ref_doc_id == "b"]
    index.delete_nodes([first.node_id])
    assert sorted(retrieved(index, similarity_top_k=9)) == ["black purple", "black white red"]
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=1)
    assert len(engine.query("black purple").source_nodes) == 1


async def test_an_index_awaited(empty_store: PgencoderVectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    used = type(empty_store._nodes)
    for name in ("add", "delete", "read", "matching"):
        run = getattr(used, name)

        def noted(*arguments: Any, run: Callable[..., Any] = run) -> Any:
            threads.add(threading.get_ident())
            return run(*arguments)

        monkeypatch.setattr(used, name, noted)
    index = index_on(empty_store)
    await index.ainsert_nodes(nodes())
    found = await index.as_retriever(similarity_top_k=1).aretrieve("red green blue")
    assert [each.node.node_id for each in found] == ["r"]
    assert [each.node_id for each in await empty_store.aget_nodes(filters=where(("lang", "==", "de")))] == ["b"]
    await index.adelete_ref_doc("one")
    await index.adelete_nodes(["b"])
    assert [each.node_id for each in await empty_store.aget_nodes()] == ["p"]
    await empty_store.aclear()
    assert await empty_store.aget_nodes() == []
    assert threads
    assert threading.get_ident() not in threads


def test_a_pipeline(db: Database) -> None:
    store = PgencoderVectorStore.create(db, "piped", embed_dim=32)
    pipeline = IngestionPipeline(transformations=[EMBEDDING], vector_store=store)
    pipeline.run(nodes=[TextNode(text=text) for text in TEXTS.values()])
    assert retrieved(index_on(store), "purple", similarity_top_k=1) == ["black purple"]


# -- what cannot be


def refusal(call: Callable[..., object], *arguments: Any, **named: Any) -> str:
    """What a call says of bad input."""
    with pytest.raises(InvalidRequest) as raised:
        call(*arguments, **named)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_bad_input_is_said_in_one_line(store: PgencoderVectorStore) -> None:
    def searched(**query: Any) -> str:
        return refusal(store.query, asked("red", **query))

    for mode in VectorStoreQueryMode:
        if mode.value not in ("default", "mmr"):
            assert searched(mode=mode).endswith(f"the mode must be default or mmr, got {mode.value}")
    for operator, value in [
        (">", [1]), (">", None), ("in", "a"), ("nin", 1), ("any", "a"), ("all", 1), ("contains", ["a"]),
        ("text_match", 1), ("text_match_insensitive", None)]:  # fmt: skip
        assert f"the filter {operator!r} of 'a' takes " in searched(filters=where(("a", operator, value)))
    deep = where(("a", "==", 1))
    for _ in range(100):
        deep = where(deep)
    assert "more than 30 levels" in searched(filters=deep)
    assert "2000 conditions" in searched(filters=where(*[("a", "==", 1)] * 3000))
    assert "2000 conditions" in searched(filters=where(("a", "any", ["x"] * 3000)))
    assert ids(store, filters=where(("year", "in", list(range(50_000))))) == ["r"]
    assert "JSON" in searched(filters=where(("a", "==", float("nan"))))
    assert "refuses" in searched(filters=where(("a", "==", "\0")))
    assert "half a character" in searched(filters=where(("\ud800", "is_empty")))
    assert "NUL" in searched(node_ids=["\0"])
    assert "k must be an integer" in refusal(store.query, asked("red", 0))
    assert "node_ids must be a list" in searched(node_ids="r")
    assert "NUL" in refusal(store.add, [node("r", "a\0b")])
    assert "at most 2000 bytes" in refusal(store.add, [node("r").model_copy(update={"id_": "x" * 2001})])
    bad = [node("p", "new"), node("b").model_copy(update={"id_": "\ud800"})]
    assert "half a character" in refusal(store.add, bad)
    assert store.get_nodes(["p"])[0].get_content() == TEXTS["p"]
    calls: list[tuple[Callable[..., object], Any]] = [
        (store.query, asked("red")), (store.add, []), (store.delete, "one"), (store.delete_nodes, [])]  # fmt: skip
    for call, argument in calls:
        with pytest.raises(TypeError, match="unexpected keyword argument 'filter'"):
            call(argument, filter=None)


def test_vectors_that_cannot_be(db: Database) -> None:
    store = PgencoderVectorStore.create(db, "given", embed_dim=2)
    assert "has no embedding" in refusal(store.add, [TextNode(id_="1", text="red")])
    for wrong in ([1.0], [1.0, float("nan")], [1.0, 2.0, 3.0], [1e39, 0.0]):
        assert "shape (2,)" in refusal(store.add, [TextNode(text="red", embedding=wrong)])
        assert "shape (2,)" in refusal(store.query, VectorStoreQuery(wrong))
    assert "needs the vector of the query" in refusal(store.query, VectorStoreQuery(query_str="red"))
    assert store.get_nodes() == []
    with pytest.raises(InvalidRequest, match="exclude each other"):
        PgencoderVectorStore.create(db, "other", embed_dim=2, encoder=WORDS)


def test_stores_are_told_apart(connection: Connection, db: Database, words: WordEncoder) -> None:
    given = PgencoderVectorStore.create(db, "given", embed_dim=2)
    given.add([TextNode(id_="1", text="red", embedding=[1.0, 0.0])])
    PgencoderVectorStore.create(db, "encoded", encoder=words)
    langchain.PgencoderVectorStore.create(db, "documents", encoder=words)
    assert PgencoderVectorStore(db, "given", embed_dim=2).get_nodes(["1"])[0].get_content() == "red"
    with pytest.raises(InvalidRequest, match="come with its nodes; give embed_dim=2"):
        PgencoderVectorStore(db, "given")
    with pytest.raises(FingerprintMismatch, match="they differ in: dims"):
        PgencoderVectorStore(db, "given", embed_dim=3)
    with pytest.raises(FingerprintMismatch, match="ada"):
        PgencoderVectorStore(db, "given", embed_dim=2, embedding_name="ada")
    with pytest.raises(FingerprintMismatch, match="words"):
        PgencoderVectorStore(db, "encoded", embed_dim=2)
    with pytest.raises(InvalidSource, match=r"'documents' was not made by create.*PgencoderRetriever"):
        PgencoderVectorStore.create(db, "documents", encoder=words)
    with pytest.raises(InvalidSource, match=r"lacks: ref_doc_id text, node json, embedding real\[\]; make it with"):
        PgencoderVectorStore(db, "documents", encoder=words)
    with pytest.raises(InvalidSource, match="'encoded' was not made by create"):
        langchain.PgencoderVectorStore.create(db, "encoded", encoder=words)


def test_vectors_that_were_given_are_not_lost(connection: Connection, db: Database) -> None:
    store = PgencoderVectorStore.create(db, "given", embed_dim=32)
    store.add(nodes())
    before = store.query(asked("red green blue"))
    db.detach("given")
    again = PgencoderVectorStore.create(db, "given", embed_dim=32)
    assert again.query(asked("red green blue")).similarities == before.similarities
    connection.execute("UPDATE given SET content = 'changed' WHERE id = 'r'")
    connection.execute("DELETE FROM given WHERE id = 'y'")
    connection.execute("UPDATE given SET embedding = NULL, content = 'lost' WHERE id = 'p'")
    again.delete_nodes(["b"])
    (failed,) = db.failed("given")
    assert "the vectors of this store come with its nodes; add the nodes again" in failed.error
    assert ids(again)[0] == "r"
    assert again.get_nodes(["r"])[0].get_content() == "changed"
    again.add([node("p")])
    assert sorted(ids(again)) == ["p", "r"]
    status = db.status()[0]
    assert (status.passages, status.queued) == (2, 0)


def test_many_add_at_once(empty_store: PgencoderVectorStore) -> None:
    rng = np.random.default_rng(0)

    def add(i: int) -> None:
        keys = [str(n) for n in rng.permutation(40)]
        empty_store.add([node("r", f"red {i} {key}").model_copy(update={"id_": key}) for key in keys])
        empty_store.query(asked("red"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(8)))
    stored = {each.node_id: each.get_content() for each in empty_store.get_nodes()}
    assert len(stored) == 40
    found = empty_store.query(asked("red", 40))
    assert {each.node_id: each.get_content() for each in found.nodes or []} == stored
    contents = {row[0] for row in _passages(empty_store)}
    assert contents == set(stored.values())


def _passages(store: PgencoderVectorStore) -> Sequence[Any]:
    with store.client.connection() as connection:
        rows: Sequence[Any] = connection.execute('SELECT content FROM pgencoder."Nodes %s_passages"').fetchall()
        return rows
