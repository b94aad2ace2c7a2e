"""Searches as statements on every kind of engine, and what they refuse."""

from __future__ import annotations

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, assert_type

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import (
    Session,
)

import pgencoder
from pgencoder import Database, Dims, Encoding, SearchSelect
from pgencoder.errors import InUse, InvalidRequest
from pgencoder.schema import generations
from tests.adapters.library import QUERY, Article, find, ids, scored
from tests.encoder import WordEncoder


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
@pytest.mark.parametrize("autocommit", [False, True])
def test_on_async_engines(library: Database, words16: WordEncoder, driver: str, autocommit: bool) -> None:
    expected = ids(find(library, pgencoder.select(Article, QUERY, encoder=words16).where(Article.lang == "rare")))
    few = Article.id.in_([100, 200, 300])

    async def run() -> None:
        url = library.engine.url.set(drivername=f"postgresql+{driver}")
        options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
        engine = create_async_engine(url, **options)
        async with AsyncSession(engine) as session:
            search = await pgencoder.aselect(Article, QUERY, encoder=words16)
            assert_type(search, SearchSelect[Article, float])
            # often enough that the server could choose a plan without values
            for _ in range(12):
                found = (await session.execute(search.where(Article.lang == "rare"))).all()
                assert [row[0].id for row in found] == expected
            assert {row[0].id for row in (await session.execute(search.where(few))).all()} == {100, 200, 300}
            by_name = await pgencoder.aselect("articles", QUERY, 3, db=library)
            assert len((await session.execute(by_name)).all()) == 3
        await engine.dispose()

    asyncio.run(run())


def test_another_encoder_is_refused_and_both_are_named(library: Database) -> None:
    other = WordEncoder(Dims(16, 16), name="other")
    with pytest.raises(sa.exc.DBAPIError, match=r'generation 1 of articles was encoded by .*"words".*"other"'):
        find(library, pgencoder.select(Article, QUERY, encoder=other))


def test_the_query_can_be_vectors(library: Database, words16: WordEncoder) -> None:
    encoding = replace(words16.encode_query(QUERY), text=QUERY)
    expected = find(library, pgencoder.select(Article, QUERY, encoder=words16))
    assert scored(find(library, pgencoder.select(Article, encoding))) == scored(expected)
    dense = find(library, pgencoder.select(Article, QUERY, stage="dense", encoder=words16))
    for vector in (encoding.dense, encoding.dense.tolist()):
        assert ids(find(library, pgencoder.select(Article, vector))) == ids(dense)


def test_requests_that_cannot_be_served(library: Database, words16: WordEncoder) -> None:
    requests: list[tuple[Any, Any, dict[str, Any], str]] = [
        (Article, QUERY, {"k": 0, "encoder": words16}, "k must be"),
        (Article, QUERY, {"group": "row", "encoder": words16}, "passage, document"),
        (Article, [1.0, 2.0], {"stage": "maxsim"}, "no token vectors"),
        (Article, Encoding(words16.encode_query("a").dense, words16.encode_query("a").tokens[:0]), {}, "no tokens"),
        (Article, QUERY, {"k": True, "encoder": words16}, "k must be"),
        (Article, QUERY, {"candidates": 2**31, "encoder": words16}, "candidates must be"),
        (Article, None, {}, "got NoneType"),
        (Article, {"a": 1}, {}, "got dict"),
        (Article, [], {}, "got list"),
        (Article, np.ones((2, 16)), {}, "got ndarray"),
        (Article, [float("nan")] * 16, {}, "a vector of numbers"),
        (object(), QUERY, {"encoder": words16}, "give a class that is mapped"),
        (Session, QUERY, {"encoder": words16}, "give a class that is mapped"),
        (Article.__table__.alias(), QUERY, {"encoder": words16}, "a Table with a primary key"),
        (sa.Table("keyless", sa.MetaData(), sa.Column("a")), QUERY, {"encoder": words16}, "a Table with a primary key"),
    ]
    for entity, query, options, message in requests:
        with pytest.raises(InvalidRequest, match=message):
            pgencoder.select(entity, query, **options)
    with pytest.raises(sa.exc.DBAPIError, match=r'function pgencoder."?nothing_active"?\(\) does not exist'):
        find(library, pgencoder.select(Article, QUERY, encoder=words16, collection="nothing"))
    with pytest.raises(pgencoder.errors.UnknownCollection, match="articles"):
        pgencoder.select("nothing", QUERY, db=library)


def test_a_collection_by_its_name_needs_to_know_its_database(library: Database, url: str) -> None:
    assert len(find(library, pgencoder.select("articles", QUERY, 3))) == 3
    second = pgencoder.connect(url)
    with pytest.raises(InvalidRequest, match=r"which database\? 2 open"):
        pgencoder.select("articles", QUERY)
    second.close()
    assert len(find(library, pgencoder.select("articles", QUERY, 3))) == 3


def test_a_statement_follows_the_active_generation(library: Database, words16: WordEncoder) -> None:
    vector = pgencoder.select(Article, words16.encode_query(QUERY))
    text = pgencoder.select(Article, QUERY, stage="maxsim", encoder=words16)
    before = scored(find(library, vector))
    other = WordEncoder(Dims(16, 16), name="other")
    library.reencode("articles", other, tokens="halfvec")
    library.sync("articles")
    library.activate("articles")
    assert len(find(library, vector)) == 10
    assert scored(find(library, vector)) != before
    with pytest.raises(sa.exc.DBAPIError, match="generation 2 of articles"):
        find(library, text)
    library.rollback("articles")
    assert scored(find(library, text)) == before


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_old_snapshot_does_not_search_another_models_vectors(
    library: Database, words16: WordEncoder, isolation: str
) -> None:
    other = WordEncoder(Dims(16, 16), name="other")
    library.reencode("articles", other)
    library.sync("articles")
    with library.engine.connect().execution_options(isolation_level=isolation) as connection:
        connection.execute(sa.text("SELECT count(*) FROM authors"))
        library.activate("articles")
        with pytest.raises(sa.exc.DBAPIError, match="generation 2 of articles was encoded by"):
            connection.execute(pgencoder.select(Article, QUERY, encoder=words16))
        connection.rollback()
        assert connection.execute(pgencoder.select(Article, QUERY, encoder=other)).all()


def test_activation_waits_for_those_who_have_searched_but_not_for_ever(
    library: Database, words16: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "SWAP_SECONDS", 0.5)
    library.reencode("articles", tokens="halfvec")
    library.sync("articles")
    with Session(library.engine) as session:
        pid = session.scalar(sa.select(sa.func.pg_backend_pid()))
        session.execute(pgencoder.select(Article, QUERY, encoder=words16)).all()
        with pytest.raises(InUse, match=rf"have searched 'articles'.* {pid} \(\w+, idle in transaction\)"):
            library.activate("articles")
    assert library.activate("articles").number == 2
    assert library.rollback("articles").number == 1


def test_it_can_be_copied_and_shared_by_threads(library: Database, words16: WordEncoder) -> None:
    search = pgencoder.select(Article, QUERY, encoder=words16).where(Article.lang == "rare")
    expected = scored(find(library, search))
    assert scored(find(library, copy.deepcopy(search))) == expected
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: scored(find(library, search)), range(32))) == [expected] * 32
