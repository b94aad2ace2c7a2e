"""Any table, any key, any name, any change: it ends in the right passages."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgencoder import Database
from pgencoder.errors import CollectionExists, InvalidRequest, InvalidSource, UnknownCollection
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.passages import check
from tests.snapshots import OBJECTS


def articles(connection: Connection) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, title text, body text, views int DEFAULT 0)")
    connection.execute(
        "INSERT INTO articles SELECT i, 'title ' || i, 'body of number ' || i FROM generate_series(1, 5) AS i"
    )


def queued(connection: Connection, name: str = "articles") -> list[object]:
    rows = connection.execute(
        sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier("pgencoder", f"{name}_1_queue"))
    )
    return [row[0] for row in rows]


KEYS = {
    "int": ("int", ["1", "-2", "2147483647"]),
    "bigint": ("bigint", ["1", "9223372036854775807"]),
    "uuid": ("uuid", ["'6f9619ff-8b86-d011-b42d-00cf4fc964ff'"]),
    "text": ("text", ["'a'", "''", "'it''s \"quoted\" \\ {x,y} %s'", "'\u00e9\U0001f600'"]),
    "text_c": ('text COLLATE "C"', ["'a'", "'B'"]),
    "varchar": ("varchar(5)", ["'a'", "'abcde'"]),
    "timestamptz": ("timestamptz", ["'2024-02-29 12:00:00.123456+02'", "'infinity'"]),
    "date": ("date", ["'0044-03-15 BC'"]),
    "numeric": ("numeric(20, 5)", ["1.5", "'NaN'", "12345678901234.12345"]),
    "float8": ("float8", ["0.1", "'-infinity'", "1e-300"]),
    "bytea": ("bytea", [r"'\x00ff'", r"'\x'"]),
    "bool": ("bool", ["true", "false"]),
    "inet": ("inet", ["'10.0.0.1/8'"]),
    "array": ("int[]", ["'{1,2,3}'", "'{}'"]),
    "enum": ('"My Types".mood', ["'so so'"]),
    "domain": ('"My Types".positive', ["7"]),
    "range": ("int4range", ["'[1,5)'", "'empty'"]),
    "jsonb": ("jsonb", ["'{\"a\": [1, null]}'"]),
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_any_type(connection: Connection, db: Database, words: WordEncoder, kind: str) -> None:
    connection.execute('CREATE SCHEMA "My Types"')
    connection.execute("CREATE TYPE \"My Types\".mood AS ENUM ('so so')")
    connection.execute('CREATE DOMAIN "My Types".positive AS int CHECK (VALUE > 0)')
    type_, values = KEYS[kind]
    connection.execute(f"CREATE TABLE things (id {type_} PRIMARY KEY, body text)".encode())
    for i, value in enumerate(values):
        connection.execute(f"INSERT INTO things VALUES ({value}, 'word{i} and more')".encode())
    assert db.attach("things", ["body"], words) == len(values)
    db.sync("things")
    assert check(connection, db, "things", words) == len(values)
    connection.execute("UPDATE things SET body = body || ' changed'")
    db.sync("things")
    check(connection, db, "things", words)
    connection.execute("DELETE FROM things")
    db.sync("things")
    assert check(connection, db, "things", words) == 0


def test_a_composite_key_with_names_that_are_taken(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute(
        "CREATE TABLE t (passage int, content text, k uuid DEFAULT gen_random_uuid(), score text, passage_key int,"
        " body text, PRIMARY KEY (score, content, passage, k, passage_key))"
    )
    connection.execute(
        "INSERT INTO t (passage, content, score, passage_key, body) VALUES (1, 'c', 's', 4, 'some words'),"
        " (1, 'd', 's', 4, 'other words')"
    )
    db.attach("t", ["body", "content"], words)
    db.sync("t")
    assert check(connection, db, "t", words) == 2
    hit = db.search("t", "other", k=1)[0]
    assert hit.key[:3] == ("s", "d", 1)
    connection.execute("UPDATE t SET passage = 2, passage_key = 1 WHERE content = 'd'")
    db.sync("t")
    assert check(connection, db, "t", words) == 2


HOSTILE = [
    "Robert'); drop table \"x",
    "MixedCase",
    "100% sure",
    'quo"te',
    "it's",
    "{braces}",
    "a b\tc\nd",
    "sch.tab",
    "\u00fcn\u00ef\U0001f600",
    "select",
    "$1",
    "back\\slash",
    "%s",
    "%(rows)s",
    ":name",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_identifiers(connection: Connection, db: Database, words: WordEncoder, hostile: str) -> None:
    names = {
        "schema": sql.Identifier(hostile),
        "table": sql.Identifier(hostile, hostile),
        "column": sql.Identifier(hostile),
        "other": sql.Identifier(hostile + "2"),
    }
    connection.execute(sql.SQL("CREATE SCHEMA {schema}").format(**names))
    connection.execute(sql.SQL("CREATE TABLE {table} ({column} int PRIMARY KEY, {other} text)").format(**names))
    connection.execute(sql.SQL("INSERT INTO {table} VALUES (1, 'one word'), (2, 'two words')").format(**names))
    assert db.attach(hostile, [hostile + "2"], words, schema=hostile) == 2
    db.sync(hostile)
    assert check(connection, db, hostile, words) == 2
    hits = db.search(hostile, "two words", k=1, filter=db.table(hostile).c[hostile] == 2)
    assert [hit.key for hit in hits] == [2]
    connection.execute(sql.SQL("UPDATE {table} SET {column} = 3 WHERE {column} = 2").format(**names))
    db.sync(hostile)
    assert check(connection, db, hostile, words) == 2
    assert db.status()[0].passages == 2
    db.detach(hostile)
    assert connection.execute(sql.SQL("SELECT count(*) FROM {table}").format(**names)).fetchone() == (2,)


def test_a_table_is_found_as_it_is_written_in_sql(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute('CREATE SCHEMA blog; CREATE TABLE blog."My Table" (id int PRIMARY KEY, body text)')
    connection.execute("CREATE TABLE lower (id int PRIMARY KEY, body text)")
    db.attach('blog."My Table"', ["body"], words)
    db.attach("LOWER", ["body"], words)
    assert [(c.source_schema, c.source_table) for c in db.collections()] == [("blog", "My Table"), ("public", "lower")]


CHANGES = {
    "insert": "INSERT INTO articles VALUES (6, 'six', 'new words')",
    "update": "UPDATE articles SET body = 'other words' WHERE id < 3",
    "delete": "DELETE FROM articles WHERE id IN (2, 4)",
    "key change": "UPDATE articles SET id = id + 100",
    "key shift": "UPDATE articles SET id = -id; UPDATE articles SET id = 1 - id",
    "swap": "UPDATE articles SET body = (SELECT o.body FROM articles o WHERE o.id = 6 - articles.id)",
    "null": "UPDATE articles SET title = NULL, body = NULL WHERE id = 3",
    "empty": "UPDATE articles SET title = '', body = '  ' WHERE id = 3",
    "truncate": "TRUNCATE articles",
    "truncate and insert": "TRUNCATE articles; INSERT INTO articles VALUES (1, 'one', 'again')",
    "upsert": "INSERT INTO articles VALUES (1, 'one', 'x'), (7, 'seven', 'y') ON CONFLICT (id) DO UPDATE SET body = ''",
    "merge": "MERGE INTO articles USING (VALUES (1, 'm'), (9, 'n')) AS v (id, body) ON v.id = articles.id"
    " WHEN MATCHED AND v.id = 1 THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'merged', v.body)",
    "delete and insert": "DELETE FROM articles; INSERT INTO articles VALUES (1, 'one', 'back')",
    "rename the column": "UPDATE articles SET body = 'renamed' WHERE id = 1",
}


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_ends_in_the_right_passages(
    connection: Connection, db: Database, words: WordEncoder, change: str, tokens: str
) -> None:
    articles(connection)
    db.attach("articles", ["title", "body"], words, tokens=tokens)  # type: ignore[arg-type]
    db.sync("articles")
    assert check(connection, db, "articles", words) == 5
    connection.execute(CHANGES[change].encode())
    db.sync("articles")
    check(connection, db, "articles", words)


def test_copy(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection)
    db.attach("articles", ["title", "body"], words)
    with connection.cursor().copy("COPY articles (id, title, body) FROM STDIN") as copy:
        for i in range(10, 700):
            copy.write_row((i, f"title{i}", "copied words"))
    assert db.sync("articles").rows == 695
    assert check(connection, db, "articles", words) == 695


def test_what_does_not_change_the_columns_queues_nothing(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    articles(connection)
    db.attach("articles", ["title", "body"], words)
    db.sync("articles")
    connection.execute("UPDATE articles SET views = views + 1")
    connection.execute("UPDATE articles SET body = body")
    connection.execute("UPDATE articles SET id = id")
    connection.execute("BEGIN; UPDATE articles SET body = 'x'; DELETE FROM articles; ROLLBACK")
    connection.execute("DELETE FROM articles WHERE false")
    assert queued(connection) == []
    connection.execute("UPDATE articles SET body = 'x', views = 7 WHERE id = 2")
    assert queued(connection) == [2]


def test_a_change_of_case_counts_under_any_collation(connection: Connection, db: Database, words: WordEncoder) -> None:
    try:
        connection.execute(
            "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server was built without ICU, and only ICU has collations that ignore case")
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text COLLATE caseless)")
    connection.execute("INSERT INTO articles VALUES (1, 'Word')")
    db.attach("articles", ["body"], words)
    db.sync("articles")
    connection.execute("UPDATE articles SET body = 'WORD'")
    assert queued(connection) == [1]


def test_empty_content_is_done_without_a_passage(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles VALUES (1, NULL), (2, ''), (3, ' \n'), (4, 'word')")
    db.attach("articles", ["body"], words)
    report = db.sync("articles")
    assert (report.rows, report.passages) == (4, 1)
    assert queued(connection) == []


@pytest.mark.parametrize("kind", ["partitioned", "inherited"])
def test_tables_with_children(connection: Connection, db: Database, words: WordEncoder, kind: str) -> None:
    if kind == "partitioned":
        connection.execute(
            "CREATE TABLE logs (id int, day int, body text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
            "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (10);"
            "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);"
            "CREATE TABLE logs_2_x PARTITION OF logs_2 DEFAULT"
        )
        child, other = "logs_1", "logs_2_x"
    else:
        connection.execute(
            "CREATE TABLE logs (id int, day int, body text, PRIMARY KEY (id, day));"
            "CREATE TABLE logs_1 () INHERITS (logs); CREATE TABLE logs_2_x () INHERITS (logs)"
        )
        child, other = "logs_1", "logs_2_x"
    connection.execute(
        f"INSERT INTO {child} VALUES (1, 1, 'first words'); INSERT INTO {other} VALUES (2, 11, 'second')".encode()
    )
    assert db.attach("logs", ["body"], words) == 2
    db.sync("logs")
    check(connection, db, "logs", words)
    for statement in (
        f"INSERT INTO {child} VALUES (3, 3, 'straight into the child')",
        "UPDATE logs SET body = body || ' through the parent'",
        f"UPDATE {other} SET body = 'straight'",
        f"DELETE FROM {child} WHERE id = 1",
        "INSERT INTO logs VALUES (5, 5, 'five'), (6, 15, 'six')"
        if kind == "partitioned"
        else "INSERT INTO logs VALUES (5, 5, 'five')",
        "UPDATE logs SET day = 12 WHERE id = 3" if kind == "partitioned" else "UPDATE logs SET day = 4 WHERE id = 3",
        f"TRUNCATE {other}",
        "TRUNCATE logs",
    ):
        connection.execute(statement.encode())
        db.sync("logs")
        check(connection, db, "logs", words)


def test_detach_removes_everything(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection)
    before = sorted(connection.execute(OBJECTS).fetchall())
    db.attach("articles", ["title", "body"], words)
    db.sync("articles")
    assert sorted(connection.execute(OBJECTS).fetchall()) != before
    db.detach("articles")
    assert sorted(connection.execute(OBJECTS).fetchall()) == before
    connection.execute("UPDATE articles SET body = 'still works'")
    db.attach("articles", ["body"], words)
    connection.execute("DROP TABLE articles CASCADE")
    assert db.status()[0].source_rows is None
    db.detach("articles")
    assert db.collections() == []


def test_two_collections_of_one_table(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection)
    db.attach("articles", ["title"], words)
    db.attach("articles", ["body"], words, name="bodies", tokens="halfvec")
    connection.execute("UPDATE articles SET title = 'only this' WHERE id = 1")
    for name in ("articles", "bodies"):
        db.sync(name)
        check(connection, db, name, words)


def test_writers_need_no_rights_of_ours(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection)
    db.attach("articles", ["title", "body"], words)
    db.sync("articles")
    connection.execute(
        "DROP ROLE IF EXISTS writer; CREATE ROLE writer; GRANT ALL ON articles TO writer; SET ROLE writer"
    )
    connection.execute(
        "INSERT INTO articles VALUES (8, 'eight', 'by another role'); UPDATE articles SET body = 'b' WHERE id = 1"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM pgencoder.articles_1_queue")
    connection.execute("TRUNCATE articles; RESET ROLE")
    db.sync("articles")
    assert check(connection, db, "articles", words) == 0
    connection.execute("REVOKE ALL ON articles FROM writer; DROP ROLE writer")


def test_errors_say_what_to_do(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection)
    connection.execute('CREATE TABLE "No Key" (id int, body text); CREATE VIEW v AS SELECT * FROM articles')
    cases: list[tuple[type[Exception], str, str, list[str], dict[str, str]]] = [
        (InvalidSource, r'ALTER TABLE "No Key" ADD PRIMARY KEY', "No Key", ["body"], {}),
        (InvalidSource, "a view", "v", ["body"], {}),
        (InvalidSource, "no table 'nowhere'", "nowhere", ["body"], {}),
        (InvalidSource, "no table 'x'", "x", ["body"], {"schema": "nowhere"}),
        (InvalidSource, "no table 'a.b.c.d'", "a.b.c.d", ["body"], {}),
        (InvalidSource, "no table '\"'", '"', ["body"], {}),
        (InvalidSource, "no column 'bodi'; it has: id, title, body, views", "articles", ["bodi"], {}),
        (InvalidRequest, "at least one column", "articles", [], {}),
        (InvalidRequest, "at least one column", "articles", "body", {}),  # type: ignore[list-item]
        (InvalidRequest, "bit, halfvec", "articles", ["body"], {"tokens": "int8"}),
        (InvalidRequest, "default, truncate", "articles", ["body"], {"chunking": "none"}),
        (InvalidRequest, "1 to 40 bytes", "articles", ["body"], {"name": "n" * 41}),
        (InvalidRequest, "1 to 40 bytes", "articles", ["body"], {"name": ""}),
    ]
    before = sorted(connection.execute(OBJECTS).fetchall())
    for error, message, table, columns, options in cases:
        with pytest.raises(error, match=message) as raised:
            db.attach(table, columns, words, **options)  # type: ignore[arg-type]
        assert "\n" not in str(raised.value)
    assert sorted(connection.execute(OBJECTS).fetchall()) == before
    db.attach("articles", ["body"], words)
    with pytest.raises(CollectionExists, match="detach it first"):
        db.attach("articles", ["title"], words)
    with pytest.raises(UnknownCollection, match="there are: articles"):
        db.sync("article")


def test_attaching_again_changes_nothing_where_it_is_the_same(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, title text, body text)")
    connection.execute("INSERT INTO articles VALUES (1, 'a', 'b'), (2, 'c', 'd')")
    assert db.attach("articles", ["title", "body"], words, exist_ok=True) == 2
    db.sync("articles")
    connection.execute("CREATE SCHEMA other; CREATE TABLE other.articles (LIKE articles INCLUDING ALL)")
    before = sorted(connection.execute(OBJECTS).fetchall())
    assert db.attach("articles", ["title", "body"], words, exist_ok=True) == 0
    assert db.attach("public.articles", ["title", "body"], WordEncoder(), tokens="bit", exist_ok=True) == 0
    cases: list[tuple[str, dict[str, Any]]] = [
        ("columns", {"columns": ["body", "title"]}),
        ("model", {"model": WordEncoder(name="others")}),
        ("tokens", {"tokens": "halfvec"}),
        ("chunking", {"chunking": "truncate"}),
        ("columns, tokens", {"columns": ["body"], "tokens": "none"}),
    ]
    for differing, asked in cases:
        again: dict[str, Any] = {"columns": ["title", "body"], "model": words, "exist_ok": True} | asked
        way = "detach it first" if "columns" in asked else "to encode it so, run: pgencoder reencode articles"
        with pytest.raises(CollectionExists, match=f"'articles' that differs in {differing}; {way}, or give another"):
            db.attach("articles", **again)
    with pytest.raises(CollectionExists, match="differs in table"):
        db.attach("articles", ["title", "body"], words, schema="other", exist_ok=True)
    with pytest.raises(CollectionExists, match="already a collection 'articles'; detach"):
        db.attach("articles", ["title", "body"], words)
    assert sorted(connection.execute(OBJECTS).fetchall()) == before
    assert db.sync("articles").rows == 0
    connection.execute("DROP TABLE articles CASCADE; CREATE TABLE articles (id int PRIMARY KEY, title text, body text)")
    with pytest.raises(InvalidSource, match="pgencoder repair articles"):
        db.attach("articles", ["title", "body"], words, exist_ok=True)


def test_attaching_again_goes_on_where_it_was_interrupted(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'body' FROM generate_series(1, 10_001) AS i")

    def interrupt(done: int, _total: int) -> None:
        assert done == 10_000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.attach("articles", ["body"], words, progress=interrupt)
    assert db.attach("articles", ["body"], words, exist_ok=True) == 1
    assert db.attach("articles", ["body"], words, exist_ok=True) == 0


def test_a_virtual_column_is_refused(connection: Connection, db: Database, words: WordEncoder) -> None:
    if connection.info.server_version < 180000:
        pytest.skip("columns that are generated and not stored came with Postgres 18")
    connection.execute(
        "CREATE TABLE t (id int PRIMARY KEY, a text, v text GENERATED ALWAYS AS ('v ' || a) VIRTUAL,"
        " s text GENERATED ALWAYS AS ('s ' || a) STORED)"
    )
    connection.execute("INSERT INTO t VALUES (1, 'one')")
    with pytest.raises(InvalidSource, match="'v' is generated and not stored"):
        db.attach("t", ["v"], words)
    db.attach("t", ["s"], words)
    db.sync("t")
    connection.execute("UPDATE t SET a = 'two'")
    db.sync("t")
    assert check(connection, db, "t", words) == 1


def test_a_key_with_a_comparison_of_its_own_is_refused(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE t (id vector(2) PRIMARY KEY, body text)")
    with pytest.raises(InvalidSource, match="brings its own comparison"):
        db.attach("t", ["body"], words)


def test_children_with_the_same_key_fail_no_write(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute(
        "CREATE TABLE t (id int PRIMARY KEY, body text); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (t)"
    )
    connection.execute("INSERT INTO t VALUES (1, 'parent'); INSERT INTO child VALUES (1, 'child'), (2, 'two')")
    db.attach("t", ["body"], words)
    report = db.sync("t")
    assert (report.failed, report.passages) == (0, 2)
    connection.execute("UPDATE t SET body = body || ' changed'; DELETE FROM t WHERE id = 1")
    db.sync("t")
    assert check(connection, db, "t", words) == 1
