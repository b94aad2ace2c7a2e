"""`pgencoder.select`: what SQLAlchemy does with a Select, it does with a search."""

from __future__ import annotations

import re
from typing import Any, assert_type

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import (
    Session,
    aliased,
    joinedload,
    selectinload,
)

import pgencoder
from pgencoder import Database, SearchSelect
from tests.adapters.library import QUERY, Article, Author, Book, find, ids, scored
from tests.encoder import WordEncoder


def test_it_is_typed_and_finds_what_a_search_finds(library: Database, words16: WordEncoder) -> None:
    statement = pgencoder.select(Article, QUERY, k=20, encoder=words16)
    assert_type(statement, SearchSelect[Article, float])
    with Session(library.engine) as session:
        rows = session.execute(statement).all()
        article, score = rows[0]
        assert_type(article, Article)
        assert_type(score, float)
        hits = library.search("articles", QUERY, 20, group="document")
        assert [row[0].id for row in rows] == [hit.key for hit in hits]
        assert [row[1] for row in rows] == pytest.approx([hit.score for hit in hits])
    by_name = find(library, pgencoder.select("articles", QUERY, 20, db=library))
    hits = library.search("articles", QUERY, 20)
    assert [row[:5] for row in by_name] == [(hit.key, hit.passage, *hit.span, hit.content) for hit in hits]
    assert [row[5] for row in by_name] == pytest.approx([hit.score for hit in hits])


@pytest.mark.parametrize("k", [1, 10])
def test_conditions_on_the_table_narrow_the_recall(library: Database, words16: WordEncoder, k: int) -> None:
    search = pgencoder.select(Article, QUERY, k, candidates=5, encoder=words16)
    own = library.table("articles")
    for rare in (
        search.where(Article.lang == "rare"),
        search.filter(Article.lang == "rare", Article.id > 0),
        search.filter_by(lang="rare"),
        search.where(sa.text("lang = 'rare'")),
        search.where(sa.text("lang = :lang").bindparams(lang="rare")),
        search.where(Article.id.in_([i * 100 for i in range(1, 11)])),
        search.where(Article.lang.in_(sa.select(sa.literal("rare")))),
        search.where(Article.author.has(Author.name == "author 0"), sa.func.right(Article.body, 2) == "00"),
        search.where(sa.exists().where(Author.id == Article.author_id, Article.lang == "rare")),
    ):
        found = find(library, rare)
        assert len(found) == k
        assert all(i % 100 == 0 for i in ids(found))
    by_name = pgencoder.select("articles", QUERY, k, candidates=5, db=library)
    for rare_passages in (
        by_name.where(Article.lang == "rare"),
        by_name.where(own.c.lang == "rare"),
        by_name.where(sa.text("lang = 'rare'")),
        by_name.filter_by(lang="rare"),
    ):
        assert len(find(library, rare_passages)) == k
        assert all(row[0] % 100 == 0 for row in find(library, rare_passages))


def test_other_conditions_narrow_what_was_found(library: Database, words16: WordEncoder) -> None:
    search = pgencoder.select(Article, QUERY, encoder=words16)
    everything = find(library, search)
    threshold = everything[4][1]
    better = find(library, search.where(search.score >= threshold))
    assert scored(better)[:5] == scored(everything)[:5]
    assert all(score >= threshold for _, score in better)
    authors = {article.author_id for article, _ in everything}
    chosen = min(authors)
    joined = find(library, search.join(Article.author).where(Author.id == chosen))
    assert ids(joined) == [article.id for article, _ in everything if article.author_id == chosen]
    # the searched table's own, after the recall: the search is a subquery
    found = search.subquery()
    article = aliased(Article, found)
    after = find(library, sa.select(article, found.c.score).where(article.author_id == chosen))
    assert sorted(ids(after)) == sorted(ids(joined))


def test_conditions_that_mention_other_tables_stay_where_those_are(library: Database, words16: WordEncoder) -> None:
    search = pgencoder.select(Article, QUERY, encoder=words16)
    found = find(library, search)
    few = {0, 1}
    with Session(library.engine) as session:
        session.add_all([Book(id=i, author_id=i % 2) for i in range(4)])
        session.commit()
    expected = [article.id for article, _ in found if article.author_id in few]
    assert 0 < len(expected) < 10
    books = sa.select(sa.func.count()).where(Book.author_id == Author.id).correlate(Author).scalar_subquery()
    for condition in (Author.books.any(), sa.exists().where(Book.author_id == Author.id), books > 0):
        assert ids(find(library, search.join(Article.author).where(condition))) == expected
        assert ids(find(library, search.where(condition).join(Article.author))) == expected
    best = found[0][1]
    own = sa.select(search.hits.c.score).correlate(search.hits).scalar_subquery()
    assert scored(find(library, search.where(own >= best))) == [each for each in scored(found) if each[1] >= best]
    # where no such table is around, the subquery is the searched table's own
    rare = search.where(sa.exists().where(Author.id == Article.author_id, Article.lang == "rare"))
    assert len(find(library, rare)) == 10


def test_what_selects_do(library: Database, words16: WordEncoder) -> None:
    search = pgencoder.select(Article, QUERY, encoder=words16)
    found = ids(find(library, search))
    rare, common = search.where(Article.lang == "rare"), search.where(Article.lang == "common")
    assert ids(find(library, search.limit(3).offset(1))) == found[1:4]
    assert ids(find(library, search.order_by(None).order_by(Article.id))) == sorted(found)
    both = find(library, sa.union_all(rare, common))
    assert sorted(row[0] for row in both) == sorted([*ids(find(library, rare)), *ids(find(library, common))])
    with Session(library.engine) as session:
        statements = 0

        @sa.event.listens_for(library.engine, "before_cursor_execute")
        def _count(*_: Any) -> None:
            nonlocal statements
            statements += 1

        loaded = session.execute(search.options(selectinload(Article.author))).all()
        assert [row[0].author.id for row in loaded] == [row[0].author_id for row in loaded]
        assert statements == 2
        session.expunge_all()
        eager = session.execute(rare.options(joinedload(Article.author)).limit(4)).unique().all()
        assert [row[0].author.id for row in eager] == [row[0].author_id for row in eager]
        assert len(eager) == 4
        assert statements == 3
        sa.event.remove(library.engine, "before_cursor_execute", _count)
    inner = sa.select(rare.subquery().c.author_id)
    assert [name for (name,) in find(library, sa.select(Author.name).where(Author.id.in_(inner)))] == ["author 0"]
    one = aliased(Article, name="one")
    alias = find(library, pgencoder.select(one, QUERY, encoder=words16).where(one.lang == "rare"))
    assert ids(alias) == ids(find(library, rare))
    table = Article.__table__
    core = find(library, pgencoder.select(table, QUERY, encoder=words16).where(table.c.lang == "rare"))
    assert [row[0] for row in core] == ids(find(library, rare))
    more = find(library, search.add_columns(search.hits.c.content, search.hits.c.recall_rank))
    assert [row[2] for row in more] == [row[0].body for row in more]
    a_cte = sa.select(Author.id).where(Author.name == "author 0").cte("chosen")
    assert ids(find(library, rare.where(Article.author_id.in_(sa.select(a_cte.c.id))))) == ids(find(library, rare))
    first, second = search.subquery("first"), rare.subquery("second")
    crossed = sa.select(first.c.id).join(second, first.c.id == second.c.id)
    assert {row[0] for row in find(library, crossed)} == set(found) & set(ids(find(library, rare)))


def test_two_searches_from_one_do_not_mix(library: Database, words16: WordEncoder) -> None:
    search = pgencoder.select(Article, QUERY, encoder=words16)
    rare, common = search.where(Article.lang == "rare"), search.where(Article.lang == "common")
    expected = [sorted(ids(find(library, each))) for each in (rare, common, search)]
    subqueries = [each.subquery() for each in (rare, common, search)]
    numbered = sa.union_all(*(sa.select(sa.literal(i), each.c.id) for i, each in enumerate(subqueries)))
    rows = find(library, numbered)
    assert [sorted(row[1] for row in rows if row[0] == i) for i in range(3)] == expected


def test_a_cached_statement_takes_the_values_of_each(library: Database, words16: WordEncoder) -> None:
    cache: dict[Any, Any] = {}
    texts = ["red green", "black w17", "pink pink", "w500 blue"]
    with library.engine.connect() as other, library.engine.connect() as connection:
        other.execution_options(compiled_cache=None)
        connection.execution_options(compiled_cache=cache)
        for text in texts:
            for lang, few in (("rare", [100, 200, 300]), ("common", [1, 2])):
                made = pgencoder.select(Article, text, k=len(text), encoder=words16)
                made = made.where(Article.lang == lang, Article.id.not_in(few))
                cached = connection.execute(made).all()
                fresh = other.execute(made).all()
                assert [row.id for row in cached] == [row.id for row in fresh]
                assert {row.lang for row in cached} == {lang}
                assert not {row.id for row in cached} & set(few)
        assert len(cache) == 1
        connection.execute(made.where(Article.id > 3))
        connection.execute(pgencoder.select(Article, text, group="passage", encoder=words16))
        assert len(cache) == 3


def test_values_are_bound(library: Database, words16: WordEncoder) -> None:
    hostile = "'; DROP TABLE articles; --"
    search = pgencoder.select(Article, hostile, encoder=words16).where(Article.lang == hostile)
    text = str(search.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "DROP" not in text
    assert not re.search(r"0\.\d{6}", text)  # the numbers of vectors
    assert find(library, search) == []


def test_it_can_be_read(library: Database, words16: WordEncoder) -> None:
    search = pgencoder.select(Article, QUERY, encoder=words16).where(Article.lang == "rare")
    assert "WITH setting AS MATERIALIZED" in str(search)
    assert "WITH setting AS MATERIALIZED" in str(search.compile())
    literal = search.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    with library.engine.connect() as connection:
        rows = connection.exec_driver_sql(str(literal).replace("%", "%%")).all()
    assert [row[0] for row in rows] == ids(find(library, search))


def test_recall_and_maxsim_are_the_parts_of_a_search(library: Database, words16: WordEncoder) -> None:
    recall = pgencoder.recall(Article, QUERY, filter=Article.lang == "common", encoder=words16)
    score = pgencoder.maxsim(words16.encode_query(QUERY), recall.c.tokens).label("score")
    parts = sa.select(Article, score).join(recall, recall.c.k1 == Article.id)
    made = find(library, parts.order_by(score.desc(), Article.id).limit(10))
    search = pgencoder.select(Article, QUERY, stage="maxsim", encoder=words16).where(Article.lang == "common")
    assert scored(made) == scored(find(library, search))
    by_name = pgencoder.recall("articles", QUERY, 7, filter=sa.text("lang = 'rare'"), db=library)
    rows = find(library, sa.select(by_name.c.k1, by_name.c.recall_rank).order_by(by_name.c.recall_rank))
    assert [row[1] for row in rows] == list(range(1, 8))
    assert all(row[0] % 100 == 0 for row in rows)
