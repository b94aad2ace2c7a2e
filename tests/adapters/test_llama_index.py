"""The LlamaIndex retriever."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from llama_index.core import get_response_synthesizer
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode, QueryBundle, TextNode
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from pgencoder import Database
from pgencoder.errors import InvalidRequest
from pgencoder.integrations.llama_index import PgencoderRetriever
from tests.connections import Connection
from tests.encoder import WordEncoder

QUERY = "replication lag of 7 seconds"


def test_nodes(titled: Database) -> None:
    retriever = PgencoderRetriever(titled, "articles", k=3, metadata_columns=["title"])
    nodes = retriever.retrieve(QUERY)
    hits = titled.search("articles", QUERY, k=3)
    assert [node.score for node in nodes] == [hit.score for hit in hits]
    assert [node.node.node_id for node in nodes] == [f"articles/{hit.key}/0" for hit in hits]
    first = nodes[0].node
    assert isinstance(first, TextNode)
    assert first.text == "Title 7 replication lag of 7 seconds"
    assert first.ref_doc_id == "articles/7"
    assert (first.start_char_idx, first.end_char_idx) == (0, 36)
    assert first.metadata == {
        "collection": "articles", "key": 7, "passage": 0, "span": (0, 36), "score": hits[0].score,
        "title": "Title 7"}  # fmt: skip
    assert first.get_content(MetadataMode.LLM) == "title: Title 7\n\nTitle 7 replication lag of 7 seconds"
    assert retriever.retrieve(QueryBundle(QUERY)) == nodes


def test_nodes_can_be_stored(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute(
        "CREATE TABLE typed (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text, other uuid, raw bytea,"
        " number numeric, day date, at timestamptz, tags text[], facts jsonb, nothing real, within int4range)"
    )
    connection.execute(
        "INSERT INTO typed (body, other, raw, number, day, at, tags, facts, nothing, within) VALUES ('red', %s,"
        " '\\x00ff', 1.50, '2024-02-29', '2024-02-29 12:00+00', '{a,b}', '{\"a\": [1, null]}', 'NaN', '[1,5)')",
        ["12345678-1234-5678-1234-567812345678"],
    )
    db.attach("typed", ["body"], words)
    db.sync("typed")
    columns = ["other", "raw", "number", "day", "at", "tags", "facts", "nothing", "within"]
    (found,) = PgencoderRetriever(db, "typed", metadata_columns=columns).retrieve("red")
    metadata = json.loads(found.node.to_json(), parse_constant=pytest.fail)["metadata"]
    key = str(db.search("typed", "red")[0].key)
    assert metadata["key"] == key
    assert db.explain("typed", "red", key).words
    assert datetime.fromisoformat(metadata.pop("at")) == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert {name: metadata[name] for name in columns if name in metadata} == {
        "other": "12345678-1234-5678-1234-567812345678", "raw": "\\x00ff", "number": "1.50", "day": "2024-02-29",
        "tags": ["a", "b"], "facts": {"a": [1, None]}, "nothing": "nan", "within": "[1, 5)"}  # fmt: skip
    assert TextNode.from_json(found.node.to_json()).node_id == found.node.node_id


def test_the_search_is_as_asked(titled: Database) -> None:
    english = titled.table("articles").c.lang == "en"
    nodes = PgencoderRetriever(titled, "articles", k=20, filter=english, stage="dense").retrieve(QUERY)
    assert len(nodes) == 10
    assert all(node.metadata["key"] % 2 == 0 for node in nodes)
    assert nodes[0].score is not None
    assert nodes[0].score < 1
    with pytest.raises(InvalidRequest, match="must be a list of columns"):
        PgencoderRetriever(titled, "articles", metadata_columns="title").retrieve(QUERY)
    with pytest.raises(InvalidRequest, match="k must be an integer"):
        PgencoderRetriever(titled, "articles", k=0).retrieve(QUERY)


def test_filters(titled: Database) -> None:
    def found(*filters: MetadataFilter, condition: FilterCondition = FilterCondition.AND, **search: Any) -> list[int]:
        chosen = MetadataFilters(filters=list(filters), condition=condition)
        retriever = PgencoderRetriever(titled, "articles", similarity_top_k=20, filters=chosen, **search)
        return sorted(node.metadata["key"] for node in retriever.retrieve(QUERY))

    english = MetadataFilter(key="lang", value="en")
    early = MetadataFilter(key="id", value=4, operator=FilterOperator.LTE)
    assert found(english, early) == [2, 4]
    assert found(early, MetadataFilter(key="title", value="1", operator=FilterOperator.TEXT_MATCH)) == [1]
    assert len(found(english, early, condition=FilterCondition.OR)) == 12
    assert found(early, filter=titled.table("articles").c.lang == "de") == [1, 3]
    assert found(MetadataFilter(key="id", value=[7], operator=FilterOperator.IN), candidates=1) == [7]
    assert len(found()) == 20
    with pytest.raises(InvalidRequest, match="no column 'nothing'; its columns: id, lang, title, body"):
        found(MetadataFilter(key="nothing", value=1))
    with pytest.raises(InvalidRequest, match="the filter '>' of 'id' takes a number or a text, got None"):
        found(MetadataFilter(key="id", value=None, operator=FilterOperator.GT))


def test_how_many(titled: Database) -> None:
    assert len(PgencoderRetriever(titled, "articles").retrieve(QUERY)) == 10
    assert len(PgencoderRetriever(titled, "articles", similarity_top_k=3).retrieve(QUERY)) == 3
    with pytest.raises(InvalidRequest, match="give one of them"):
        PgencoderRetriever(titled, "articles", k=3, similarity_top_k=3)
    with pytest.raises(InvalidRequest, match="k must be an integer"):
        PgencoderRetriever(titled, "articles", similarity_top_k=0).retrieve(QUERY)


async def test_the_event_loop_goes_on(titled: Database, words: WordEncoder) -> None:
    threads = []
    encode_query = words.encode_query
    words.encode_query = lambda text: (threads.append(threading.get_ident()), encode_query(text))[1]  # type: ignore
    nodes = await PgencoderRetriever(titled, "articles", k=3).aretrieve(QUERY)
    assert len(nodes) == 3
    assert threads
    assert threading.get_ident() not in threads


def test_a_query_engine(titled: Database) -> None:
    retriever = PgencoderRetriever(titled, "articles", k=2)
    engine = RetrieverQueryEngine(retriever, get_response_synthesizer(llm=MockLLM()))
    response = engine.query(QUERY)
    assert "Title 7 replication lag of 7 seconds" in str(response)  # the mock says what it was asked
    assert [node.metadata["key"] for node in response.source_nodes] == [
        hit.key for hit in titled.search("articles", QUERY, k=2)]  # fmt: skip
