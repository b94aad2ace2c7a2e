"""The vector store for LangChain, beyond what `langchain-tests` asks."""

from __future__ import annotations

import random
import string
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.indexing import InMemoryRecordManager, index

import pgencoder
from pgencoder import Database, Encoding, WorkerOptions
from pgencoder.encoders import DenseEncoder
from pgencoder.errors import EncoderError, FingerprintMismatch, InvalidRequest, InvalidSource, UnknownCollection
from pgencoder.integrations.langchain import PgencoderRetriever, PgencoderVectorStore
from tests.connections import Connection
from tests.encoder import WordEncoder

TEXTS = ["red green blue", "red green yellow", "black white"]
METADATAS: list[dict[str, Any]] = [
    {"lang": "en", "year": 2019, "tags": ["a", "b"]},
    {"lang": "en", "author": {"name": "Ä"}},
    {"lang": "de"},
]


@pytest.fixture
def store(db: Database, words: WordEncoder) -> PgencoderVectorStore:
    store = PgencoderVectorStore.create(db, "colours", encoder=words)
    store.add_texts(TEXTS, METADATAS, ids=["1", "2", "3"])
    return store


def ids(documents: Sequence[Document]) -> list[str | None]:
    return [document.id for document in documents]


def test_metadata_comes_back_and_filters(store: PgencoderVectorStore, db: Database) -> None:
    assert [document.metadata for document in store.get_by_ids(["3", "1", "2", "1"])] == [
        METADATAS[i] for i in (2, 0, 1, 0)]  # fmt: skip
    for condition, expected in [
        ({"lang": "de"}, ["3"]),
        ({"lang": "en", "year": 2019}, ["1"]),
        ({"tags": ["b"]}, ["1"]),
        ({"author": {"name": "Ä"}}, ["2"]),
        ({"year": "2019"}, []),
        ({"it's": '"; --'}, []),
        ({}, ["1", "2", "3"]),
        (None, ["1", "2", "3"]),
        (sa.column("id") != "2", ["1", "3"]),
        (db.table("colours").c.metadata["lang"].astext == "en", ["1", "2"]),
    ]:
        found = store.similarity_search("red green blue", k=3, filter=condition)
        assert sorted(str(each) for each in ids(found)) == expected
    with pytest.raises(InvalidRequest, match="filter must be a SQLAlchemy expression"):
        store.similarity_search("red", filter=lambda document: True)


# The cases of langchain-postgres' public tests, on documents of our own
PRODUCTS: list[dict[str, Any]] = [
    {"code": "A1", "name": "Air Pump", "price": 19.5, "count": 50, "sold": True, "day": "2023-10-26", "shelf": [1]},
    {"code": "B2", "name": "Big Lamp", "price": 299.0, "count": 10, "sold": True, "day": "2023-08-15", "note": None},
    {"code": "C3", "name": "Copper wire", "price": 25.5, "count": 0, "sold": False, "day": "2024-01-05", "shelf": []},
    {"code": "D4", "name": "Desk lamp", "price": 79.95, "count": 100, "sold": True, "day": "2023-11-12",
     "specs": {"screen": "OLED", "hours": 7}},
]  # fmt: skip


CASES: list[tuple[Any, Any]] = [
    ({"code": "D4"}, "D"),
    ({"sold": False}, "C"),
    ({"sold": True, "count": 10}, "B"),
    ({"code": "A1", "sold": False}, ""),
    ({"count": {"$eq": 10}}, "B"),
    ({"count": {"$ne": 0}}, "ABD"),
    ({"count": {"$gt": 50}}, "D"),
    ({"count": {"$gte": 50}}, "AD"),
    ({"price": {"$lt": 25.5}}, "A"),
    ({"price": {"$lte": 25.5}}, "AC"),
    ({"name": {"$gt": "Big Lamp"}}, "CD"),
    ({"name": {"$lte": "Big Lamp"}}, "AB"),
    ({"day": {"$gte": "2023-11-01"}}, "CD"),
    ({"sold": {"$ne": True}}, "C"),
    ({"$or": [{"code": "A1"}, {"count": 0}]}, "AC"),
    ({"$and": [{"code": "A1"}, {"code": "B2"}]}, ""),
    ({"$and": [{"sold": True}]}, "ABD"),
    ({"$not": {"sold": True}}, "C"),
    ({"$not": [{"code": "A1"}, {"code": "B2"}]}, "CD"),
    ({"$not": {"price": {"$gt": 50.0}}}, "AC"),
    ({"count": {"$between": (10, 50)}}, "AB"),
    ({"day": {"$between": ["2023-08-15", "2023-10-31"]}}, "AB"),
    ({"name": {"$in": ["Air Pump", "Desk lamp"]}}, "AD"),
    ({"count": {"$in": [0, 10]}}, "BC"),
    ({"count": {"$nin": [0, 10]}}, "AD"),
    ({"name": {"$like": "%lamp"}}, "D"),
    ({"name": {"$ilike": "%lamp"}}, "BD"),
    ({"name": {"$like": "_i% Lamp"}}, "B"),
    ({"$or": [{"code": {"$like": "A%"}}, {"code": {"$like": "B%"}}]}, "AB"),
    ({"shelf": {"$exists": False}}, "BD"),
    ({"note": {"$exists": True}}, "B"),
    ({"specs.screen": "OLED"}, "D"),
    ({"specs": {"hours": {"$gt": 6}}}, "D"),
    ({"count": {"$gt": 0, "$lt": 100}, "$or": [{"sold": True}, {"code": "C3"}]}, "AB"),
]  # fmt: skip


def test_filters_of_langchains_postgres_stores(products: PgencoderVectorStore) -> None:
    for filter, expected in CASES:
        found = products.similarity_search("thing", k=9, filter=filter)
        assert sorted(str(document.metadata["code"])[0] for document in found) == list(expected), filter


@pytest.fixture
def products(db: Database, words: WordEncoder) -> PgencoderVectorStore:
    store = PgencoderVectorStore.create(db, "products", encoder=words)
    store.add_texts([f"thing {each['code']}" for each in PRODUCTS], PRODUCTS)
    return store


async def test_every_search_takes_filters(products: PgencoderVectorStore) -> None:
    filter: dict[str, Any] = {"price": {"$gte": 50}}
    vector = products.db.encode_query(products.db.collection("products"), "thing").dense.tolist()
    for found in [
        products.similarity_search("thing", filter=filter),
        [document for document, _ in products.similarity_search_with_score("thing", filter=filter)],
        [document for document, _ in products.similarity_search_with_relevance_scores("thing", filter=filter)],
        products.similarity_search_by_vector(vector, filter=filter),
        products.max_marginal_relevance_search("thing", filter=filter),
        products.max_marginal_relevance_search_by_vector(vector, filter=filter),
        products.as_retriever(search_kwargs={"filter": filter}).invoke("thing"),
        products.as_retriever().invoke("thing", filter=filter),
        await products.asimilarity_search("thing", filter=filter),
        await products.as_retriever(search_type="mmr", search_kwargs={"filter": filter}).ainvoke("thing"),
    ]:
        assert {document.metadata["code"] for document in found} == {"B2", "D4"}
    message = refusal(products.similarity_search, "thing", filter={"price": {"$foo": 1}})
    assert message.startswith("filter: there is no operator '$foo'; operators under a key: $eq, $ne")


def test_a_filter_is_applied_inside_the_recall(store: PgencoderVectorStore) -> None:
    store.add_texts([f"red green blue {i}" for i in range(300)], [{"many": True}] * 300)
    for filter in ({"lang": "de"}, {"lang": {"$in": ["de"]}}, {"$not": {"$or": [{"many": True}, {"lang": "en"}]}}):
        found = store.similarity_search("red green blue", k=3, candidates=1, filter=filter)
        assert ids(found) == ["3"]


def test_scores_and_relevance(store: PgencoderVectorStore) -> None:
    (best, score), (_, second), (_, last) = store.similarity_search_with_score("red green blue", k=3)
    assert best.id == "1"
    assert 3 >= score > second > last
    relevant = store.similarity_search_with_relevance_scores("red green blue", k=3)
    assert [relevance for _, relevance in relevant] == pytest.approx([max(0, s / 3) for s in (score, second, last)])
    assert len(store.similarity_search_with_relevance_scores("red green blue", score_threshold=score / 3)) == 1
    retriever = store.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": score / 3 - 0.01}
    )
    assert ids(retriever.invoke("red green blue")) == ["1"]


async def test_relevance_in_a_retriever_of_an_embedding(db: Database) -> None:
    store = PgencoderVectorStore.from_texts(
        ["foo", "bar"], DeterministicFakeEmbedding(size=6), [{"n": 1}, {"n": 2}], ids=["f", "b"], db=db
    )
    assert store.embeddings is not None
    assert db.collection("langchain").generation.encoder["model"] == "DeterministicFakeEmbedding"
    (best, relevance), (_, other) = await store.asimilarity_search_with_relevance_scores("foo", k=2)
    assert best == Document(id="f", page_content="foo", metadata={"n": 1})
    assert relevance == pytest.approx(1, abs=1e-3)
    assert 0 <= other < relevance <= 1
    assert ids(await store.as_retriever(search_kwargs={"k": 1}).ainvoke("bar")) == ["b"]
    vector = DeterministicFakeEmbedding(size=6).embed_query("bar")
    assert ids(await store.asimilarity_search_by_vector(vector, k=1)) == ["b"]
    with pytest.raises(FingerprintMismatch, match=r"langchain.*DeterministicFakeEmbedding"):
        PgencoderVectorStore(db, "langchain", DeterministicFakeEmbedding(size=7))


def test_maximal_marginal_relevance(store: PgencoderVectorStore) -> None:
    assert ids(store.similarity_search("red green blue", k=2)) == ["1", "2"]
    vector = store.db.encode_query(store.db.collection("colours"), "red green blue").dense.tolist()
    assert ids(store.max_marginal_relevance_search_by_vector(vector, k=2, lambda_mult=0.1)) == ["1", "3"]
    assert ids(store.max_marginal_relevance_search_by_vector(vector, k=2, filter={"lang": "en"})) == ["1", "2"]
    mmr = store.as_retriever(search_type="mmr", search_kwargs={"k": 2, "lambda_mult": 0.1})
    assert ids(mmr.invoke("red green blue")) == ["1", "3"]
    assert ids(store.max_marginal_relevance_search("red green blue", k=2, lambda_mult=1)) == ["1", "2"]


def test_a_long_document_is_found_by_a_passage_and_comes_back_whole(db: Database, minilm: Any) -> None:
    text = "\n\n".join(f"Part {i} speaks of {word}. " * 40 for i, word in enumerate(["cats", "replication", "tea"]))
    store = PgencoderVectorStore.create(db, "long", encoder=minilm)
    store.add_texts([text, "About dogs."])
    assert db.status()[0].passages > 3
    (document,) = store.similarity_search("replication", k=1)
    assert document.page_content == text
    assert len(store.similarity_search("replication", k=9)) == 2


def test_all_or_nothing(store: PgencoderVectorStore) -> None:
    for value, reason in [("\0", "refuses"), (object(), "not JSON serial")]:
        with pytest.raises(InvalidRequest, match=reason):
            store.add_texts(["new", "changed"], [{}, {"bad": value}], ids=["4", "1"])
    with pytest.raises(InvalidRequest, match="got 2 texts, 1 metadatas and 2 ids"):
        store.add_texts(["new", "changed"], [{}], ids=["4", "1"])
    assert [document.page_content for document in store.get_by_ids(["4", "1"])] == [TEXTS[0]]
    assert store.add_texts([]) == []
    # the last one wins, as it would one after the other
    assert store.add_texts(["old", "new"], ids=["4", "4"]) == ["4", "4"]
    assert [document.page_content for document in store.similarity_search("new", k=1)] == ["new"]
    assert store.delete()
    assert store.similarity_search("new") == []
    assert store.db.status()[0].passages == 0


def refusal(call: Callable[..., object], *arguments: Any, **named: Any) -> str:
    """What a call says of bad input."""
    with pytest.raises(InvalidRequest) as raised:
        call(*arguments, **named)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_bad_input_is_said_in_one_line(store: PgencoderVectorStore) -> None:
    nearest = store.similarity_search_by_vector
    assert "shape (32,)" in refusal(nearest, [1.0] * 31)
    assert "finite" in refusal(nearest, [float("nan")] * 32)
    assert "finite" in refusal(nearest, [1e300] * 32)
    assert "32 numbers" in refusal(nearest, ["red"])
    assert "refuses" in refusal(nearest, [1.0] * 32, filter={"a": "\0"})
    for value in (float("nan"), uuid.uuid4()):
        assert "dict of JSON values" in refusal(store.similarity_search, "red", filter={"a": value})
    for text in ("\0", "\ud800"):
        assert "refuses" in refusal(store.similarity_search, "red", filter={"a": text})
    assert "half a character" in refusal(store.add_texts, ["\ud800"])
    assert "half a character" in refusal(store.add_texts, ["red"], ids=["\ud800"])
    assert "at most 2000 bytes" in refusal(store.add_texts, ["red"], ids=["ä" * 1001])
    assert "dict of JSON values" in refusal(store.add_texts, ["red"], ["red"])
    assert "texts must be a list" in refusal(store.add_texts, "red")
    assert sorted(map(str, ids(store.similarity_search("red", k=9)))) == ["1", "2", "3"]
    longest = "".join(random.Random(0).choices(string.ascii_letters, k=2000))
    assert store.add_texts(["purple"], [None], ids=[longest]) == ids(store.similarity_search("purple", k=1))
    assert store.get_by_ids([longest])[0].metadata == {}


def test_what_another_table_refuses(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE owned (id text PRIMARY KEY, body text, metadata jsonb, owner text NOT NULL)")
    db.attach("owned", ["body"], words)
    store = PgencoderVectorStore(db, "owned", encoder=words)
    assert "violates not-null constraint" in refusal(store.add_texts, ["red"])
    connection.execute("ALTER TABLE owned ALTER owner SET DEFAULT 'me'")
    connection.execute("CREATE TABLE copies (of text REFERENCES owned)")
    store.add_texts(["red"], ids=["1"])
    connection.execute("INSERT INTO copies VALUES ('1')")
    assert "violates foreign key constraint" in refusal(store.delete, ["1"])


def test_ids_are_a_list(store: PgencoderVectorStore) -> None:
    assert "ids must be a list" in refusal(store.delete, "12")
    assert "ids must be a list" in refusal(store.get_by_ids, "12")
    assert "ids must be a list" in refusal(store.add_texts, ["red", "green"], ids="12")
    assert [document.page_content for document in store.get_by_ids(["1", "2"])] == TEXTS[:2]


def test_misspelt_arguments_are_refused(store: PgencoderVectorStore) -> None:
    misspelt: list[tuple[Callable[..., object], list[Any], str]] = [
        (store.similarity_search, ["red"], "filters"),
        (store.similarity_search_by_vector, [[1.0] * 32], "filters"),
        (store.max_marginal_relevance_search_by_vector, [[1.0] * 32], "filters"),
        (store.add_texts, [["red"]], "id"),
        (store.delete, [], "id"),
    ]
    for call, arguments, name in misspelt:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            call(*arguments, **{name: ["1"]})
    assert len(store.similarity_search("red", k=9)) == 3


def test_the_indexing_of_langchain(store: PgencoderVectorStore) -> None:
    records = InMemoryRecordManager("colours")
    records.create_schema()
    first, second = (Document(page_content=text, metadata={"source": text}) for text in ("purple", "orange"))
    for documents, expected in [([first, second], (2, 0)), ([first], (0, 1))]:
        done = index(documents, records, store, cleanup="full", source_id_key="source", key_encoder="sha256")
        assert (done["num_added"], done["num_deleted"]) == expected
    assert [document.page_content for document in store.similarity_search("purple", k=1)] == ["purple"]


def test_ids_of_type_uuid(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE notes (id uuid PRIMARY KEY, body text, metadata jsonb)")
    db.attach("notes", ["body"], words)
    store = PgencoderVectorStore(db, "notes", encoder=words)
    key = str(uuid.uuid4())
    assert store.add_texts(["red", "green"], ids=[key, key.upper()]) == [key, key]
    assert store.get_by_ids([key.upper()]) == [Document(id=key, page_content="green")]
    assert "must be of type uuid, got 'x'" in refusal(store.delete, ["x"])
    assert "must be of type uuid, got 'x'" in refusal(store.get_by_ids, ["x"])
    assert "must be of type uuid, got 'x'" in refusal(store.add_texts, ["red"], ids=["x"])
    assert store.delete([f"{{{key.upper()}}}"])
    assert store.get_by_ids([key]) == []


def test_ids_of_passages_differ(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE pages (a text, b text, body text, PRIMARY KEY (a, b))")
    connection.execute("INSERT INTO pages VALUES ('x/y', 'z', 'red'), ('x', 'y/z', 'red')")
    db.attach("pages", ["body"], words)
    db.sync("pages")
    found = PgencoderRetriever(db=db, collection="pages").invoke("red")
    assert sorted(map(str, ids(found))) == ["pages/x%2Fy/z/0", "pages/x/y%2Fz/0"]


def test_what_cannot_be_encoded_is_said(db: Database) -> None:
    class Picky(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            if "bad" in texts:
                raise ValueError("cannot read bad")
            return super().encode_documents(texts)

    store = PgencoderVectorStore.create(db, "picky", encoder=Picky())
    with pytest.raises(EncoderError, match=r"1 of 2 documents could not be encoded: .*cannot read bad"):
        store.add_texts(["good", "bad"])
    assert [document.page_content for document in store.similarity_search("good")] == ["good"]


def test_many_threads_and_a_worker_add_at_once(db: Database) -> None:
    by_worker: list[str] = []

    class Slow(WordEncoder):
        """Slow in the worker: who adds finds nothing to claim meanwhile."""

        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            if threading.current_thread() is running:
                by_worker.extend(texts)
                time.sleep(0.5)
            return super().encode_documents(texts)

    encoder = Slow()
    store = PgencoderVectorStore.create(db, "colours", encoder=encoder)
    worker = db.worker(encoders=[encoder], options=WorkerOptions(poll=0.05))
    running = threading.Thread(target=worker.run)
    running.start()

    def add(i: int) -> bool:
        (key,) = store.add_texts([f"text{i} of thread {i}"])
        return key in ids(store.similarity_search(f"text{i}", k=1))

    try:
        with ThreadPoolExecutor(8) as pool:
            while not by_worker:
                assert all(pool.map(add, range(16)))
    finally:
        worker.stop()
        running.join()


def test_opposite_orders_do_not_deadlock(db: Database, url: str) -> None:
    encoder = DenseEncoder(lambda texts: [[1.0, 0.0]] * len(texts), name="same")
    PgencoderVectorStore.create(db, "fought", encoder=encoder)
    other = pgencoder.connect(url)
    forth, back = (PgencoderVectorStore(each, "fought", encoder=encoder) for each in (db, other))
    keys = [str(i) for i in range(2000)]
    start = threading.Barrier(2, timeout=60)

    def together(first: Callable[[], object], second: Callable[[], object]) -> None:
        def wait(call: Callable[[], object]) -> None:
            start.wait()
            call()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(wait, (first, second)))

    def add(store: PgencoderVectorStore, order: int) -> Callable[[], object]:
        return lambda: store.add_texts(["same"] * len(keys), ids=keys[::order])

    with other:
        together(add(forth, 1), add(back, -1))
        for _ in range(4):
            together(add(forth, 1), add(back, -1))
            together(add(forth, 1), lambda: back.delete(keys[::-1]))
            together(add(forth, -1), back.delete)
            together(lambda: forth.delete(keys), lambda: back.delete(keys[::-1]))


async def test_the_event_loop_goes_on(
    store: PgencoderVectorStore, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def noted(function: Any) -> Any:
        def call(argument: Any) -> Any:
            threads.add(threading.get_ident())
            return function(argument)

        return call

    for name in ("encode_query", "encode_documents"):
        monkeypatch.setattr(words, name, noted(getattr(words, name)))
    (key,) = await store.aadd_documents([Document(page_content="purple")])
    assert ids(await store.asimilarity_search("purple", k=1)) == [key]
    await store.asimilarity_search_with_relevance_scores("purple")
    await store.amax_marginal_relevance_search("purple")
    retriever = PgencoderRetriever(db=store.db, collection="colours")
    assert len(await retriever.ainvoke("purple", k=2)) == 2
    assert await store.adelete([key])
    assert threads
    assert threading.get_ident() not in threads


def test_collections_that_are_there(connection: Connection, db: Database, words: WordEncoder, url: str) -> None:
    connection.execute('CREATE TABLE "My Notes" ("The Id" uuid PRIMARY KEY, "Text" text, "Meta %s" jsonb, note text)')
    connection.execute("CREATE TABLE other (id int PRIMARY KEY, a text, b text, metadata jsonb)")
    db.attach("My Notes", ["Text"], words, name="notes")
    db.attach("other", ["a"], words)
    store = PgencoderVectorStore(url, "notes", encoder=words, metadata_column="Meta %s")
    (key,) = store.add_texts(["red green"], [{"a": 1}])
    connection.execute('UPDATE "My Notes" SET note = \'kept\', "Meta %s" = NULL')
    assert store.add_texts(["red green"], ids=[key]) == [key]
    assert connection.execute('SELECT note FROM "My Notes"').fetchall() == [("kept",)]
    assert store.similarity_search("red", filter={"a": 1}) == []
    assert store.similarity_search("red") == [Document(id=key, page_content="red green")]
    assert store.max_marginal_relevance_search("red") == [Document(id=key, page_content="red green")]
    with pytest.raises(InvalidRequest, match=r"the ids of 'notes' must be of type uuid, got '1'"):
        store.get_by_ids(["1"])
    store.db.close()
    connection.execute("CREATE TABLE codes (code varchar(3) PRIMARY KEY, content text, metadata jsonb)")
    db.attach("codes", ["content"], words)
    codes = PgencoderVectorStore(db, "codes", encoder=words)
    with pytest.raises(InvalidRequest, match="too long"):
        codes.add_texts(["one", "other"], ids=["abcd", "abce"])
    assert codes.add_texts(["one"], ids=["abc"]) == ids(codes.similarity_search("one")) == ["abc"]
    with pytest.raises(InvalidSource, match="has no 'metadata' of that type"):
        PgencoderVectorStore(db, "notes")
    with pytest.raises(InvalidSource, match="a key of one column of type text or uuid; 'other' has id integer"):
        PgencoderVectorStore(db, "other")
    with pytest.raises(UnknownCollection):
        PgencoderVectorStore(db, "nothing")
    with pytest.raises(InvalidSource, match="'My Notes' was not made by create"):
        PgencoderVectorStore.create(db, "My Notes", encoder=words)
    with pytest.raises(InvalidRequest, match="from_texts needs the database"):
        PgencoderVectorStore.from_texts(["a"])


def test_the_tables_of_others_are_left_alone(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE mine (id text PRIMARY KEY, content text, metadata jsonb, owner text DEFAULT 'me')")
    connection.execute("CREATE TABLE numbered (id int, content text)")
    connection.execute("CREATE TABLE people (id text PRIMARY KEY, bio text, metadata jsonb)")
    connection.execute("CREATE VIEW shown AS SELECT * FROM mine")
    connection.execute("INSERT INTO mine VALUES ('1', 'mine', '{}')")
    connection.execute("INSERT INTO people VALUES ('1', 'red', '{}')")
    db.attach("people", ["bio"], words, name="users")
    db.sync("users")
    for name, table in [("mine", "mine"), ("numbered", "numbered"), ("shown", "shown"), ("users", "people")]:
        with pytest.raises(InvalidSource, match=rf"'{table}' was not made by create.*db\.attach\('{table}'") as raised:
            PgencoderVectorStore.create(db, name, encoder=words)
        assert "\n" not in str(raised.value)
    assert [each.name for each in db.collections()] == ["users"]
    store = PgencoderVectorStore(db, "users", encoder=words)
    with pytest.raises(InvalidRequest, match="would empty the table 'people'"):
        store.delete()
    assert ids(store.similarity_search("red")) == ["1"]
    assert store.delete(["1"])
    assert store.similarity_search("red") == []


def test_a_store_is_made_again(connection: Connection, db: Database, words: WordEncoder) -> None:
    PgencoderVectorStore.create(db, "kept", encoder=words).add_texts(["red"], ids=["1"])
    db.detach("kept")
    store = PgencoderVectorStore.create(db, "kept", encoder=words)
    db.sync("kept")
    assert ids(store.similarity_search("red")) == ["1"]
    assert PgencoderVectorStore(db, "kept").delete()
    db.detach("kept")
    connection.execute("ALTER TABLE kept DROP COLUMN metadata")
    with pytest.raises(InvalidSource, match="has no 'metadata' of that type"):
        PgencoderVectorStore.create(db, "kept", encoder=words)
    assert db.collections() == []


def test_many_make_the_same_store(url: str, words: WordEncoder) -> None:
    start = threading.Barrier(6)

    def add(i: int) -> None:
        with pgencoder.connect(url) as db:
            db.collections()
            start.wait()
            PgencoderVectorStore.create(db, "raced", encoder=words).add_texts([f"text{i}"])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(6)))
    store = PgencoderVectorStore(url, "raced", encoder=words)
    assert len(store.similarity_search("text1", k=10)) == 6
    store.db.close()


def test_the_default_model_and_a_url(url: str) -> None:
    store = PgencoderVectorStore.from_texts(["A cat sat on the mat.", "Replication lags behind."], db=url, name="own")
    (best,) = store.as_retriever(search_kwargs={"k": 1}).invoke("feline")
    assert best.page_content == "A cat sat on the mat."
    assert store.embeddings is None
    assert store.db.collection("own").generation.token_type == "bit"
    store.db.close()


def test_without_the_framework() -> None:
    for module, package, extra in [
        ("langchain", "langchain_core", "langchain"),
        ("llama_index", "llama_index", "llama-index"),
    ]:
        code = f"import sys; sys.modules[{package!r}] = None; import pgencoder.integrations.{module}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        last = done.stderr.splitlines()[-1]
        assert last.startswith("pgencoder.errors.MissingExtra: ")
        assert f"pip install 'pgencoder[{extra}]'" in last
