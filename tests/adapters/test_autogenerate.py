"""`alembic revision --autogenerate` for what mapped classes declare."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pgencoder import Database, Dims
from pgencoder.errors import InvalidRequest
from pgencoder.sqlalchemy import EncodedColumns
from tests import checkpoints
from tests.adapters.migrations import ROOT, Project, definitions, psql
from tests.connections import Connection
from tests.embedding_service import Service
from tests.encoder import WordEncoder
from tests.passages import check


def metadata(*encodings: EncodedColumns | None, extra: bool = True) -> sa.MetaData:
    """A table for each encoding, and a mapped class that declares it."""

    class Base(DeclarativeBase):
        pass

    for number, encoding in enumerate(encodings, 1):
        body: dict[str, Any] = {
            "__tablename__": f"notes_{number}",
            "__annotations__": {"id": Mapped[int], "title": Mapped[str], "body": Mapped[str]},
            "id": mapped_column(primary_key=True),
            "__module__": __name__,
        }
        if encoding is not None:
            body["__encoding__"] = encoding
        type(f"Note{number}", (Base,), body)
    return Base.metadata


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """Two Sentence-BERT checkpoints and a ColBERT checkpoint."""
    directory = tmp_path_factory.mktemp("models")
    return (
        str(checkpoints.sbert(directory / "one", 1)),
        str(checkpoints.sbert(directory / "two", 2)),
        str(checkpoints.colbert(directory / "colbert")),
    )


def test_autogenerate(
    alembic_project: Project, connection: Connection, db: Database, models: tuple[str, str, str]
) -> None:
    one, two, colbert = models
    added = alembic_project.autogenerate(
        metadata(EncodedColumns(["title", "body"], one), EncodedColumns(["body"], one, tokens="halfvec"))
    )
    assert "import pgencoder.alembic  # noqa: F401\n" in added
    assert added.index("op.create_table('notes_2'") < added.index("op.attach_encoding(")
    assert "key={'id': 'integer'}" in added
    alembic_project.upgrade()
    assert {each.name: each.columns for each in db.collections()} == {
        "notes_1": ("title", "body"), "notes_2": ("body",)}  # fmt: skip
    declared = [EncodedColumns(["title", "body"], one), EncodedColumns(["body"], one, tokens="halfvec")]
    alembic_project.check(metadata(*declared))
    connection.execute("INSERT INTO notes_1 VALUES (1, 'rows', 'in pages')")
    db.sync("notes_1")

    reencoded = metadata(EncodedColumns(["title", "body"], two, token_model=colbert), EncodedColumns(["title"], one))
    changed = alembic_project.autogenerate(reencoded)
    alembic_project.upgrade()
    states = {each.name: [(g.number, g.state) for g in each.generations] for each in db.collections()}
    assert states == {"notes_1": [(1, "active"), (2, "building")], "notes_2": [(1, "active")]}
    assert db.collection("notes_2").columns == ("title",)
    assert changed.index("op.detach_encoding('notes_2')") < changed.index("op.attach_encoding(")
    alembic_project.check(reencoded)
    db.sync("notes_1")
    db.activate("notes_1")
    alembic_project.check(reencoded)

    removed = alembic_project.autogenerate(metadata(None))
    assert removed.index("op.detach_encoding('notes_2')") < removed.index("op.drop_table('notes_2')")
    alembic_project.upgrade()
    assert db.collections() == []
    alembic_project.check(metadata(None))
    for _ in range(2):
        alembic_project.downgrade("-1")
    assert (db.collection("notes_1").columns, db.collection("notes_2").columns) == (("title", "body"), ("body",))
    assert db.collection("notes_2").generation.token_type == "halfvec"
    alembic_project.downgrade("base")
    assert db.collections() == []
    alembic_project.upgrade()
    alembic_project.downgrade("base")


def test_autogenerate_of_a_sparse_model(
    alembic_project: Project, db: Database, checkpoint: Callable[[str], str]
) -> None:
    model, sparse = checkpoint("sbert"), checkpoint("mlm")
    declared = metadata(EncodedColumns(["body"], model, sparse_model=sparse))
    assert f"sparse_model={sparse!r}" in alembic_project.autogenerate(declared)
    alembic_project.upgrade()
    alembic_project.check(declared)
    assert db.collection("notes_1").generation.dims.sparse
    without = metadata(EncodedColumns(["body"], model))
    assert "op.reencode(" in alembic_project.autogenerate(without)
    alembic_project.upgrade()
    alembic_project.check(without)
    assert [each.dims.sparse > 0 for each in db.collection("notes_1").generations] == [True, False]
    alembic_project.downgrade("-1")
    assert [each.state for each in db.collection("notes_1").generations] == ["active"]


def test_autogenerate_of_a_model_of_a_service(alembic_project: Project, db: Database, server: Service) -> None:
    declared = metadata(EncodedColumns(["body"], "openai:small"))
    assert "model='openai:small'" in alembic_project.autogenerate(declared)
    alembic_project.upgrade()
    assert db.collection("notes_1").generation.encoder["model"] == "openai:small"
    alembic_project.check(declared)
    removed = alembic_project.autogenerate(metadata(None))
    assert removed.index("def downgrade") < removed.index("model='openai:small'")


def test_autogenerate_of_encoder_objects(alembic_project: Project, db: Database, words: WordEncoder) -> None:
    declared = metadata(EncodedColumns(["title"], words))
    assert "model=pgencoder.alembic.declared('notes_1', '" in alembic_project.autogenerate(declared)
    alembic_project.upgrade()
    assert db.collection("notes_1").generation.encoder["model"] == "words"
    alembic_project.check(declared)
    other = metadata(EncodedColumns(["title"], WordEncoder(Dims(8, 8), "other")))
    assert "op.reencode(" in alembic_project.autogenerate(other)
    alembic_project.upgrade()
    assert [each.number for each in db.collection("notes_1").generations] == [1, 2]
    with pytest.raises(InvalidRequest, match=r"'notes_1' now declares other, and .* means another encoder"):
        alembic_project.downgrade("-1")
    alembic_project.config.attributes["metadata"] = declared
    alembic_project.downgrade("-1")
    assert [each.number for each in db.collection("notes_1").generations] == [1]


def test_autogenerate_of_pooling(alembic_project: Project, db: Database, words: WordEncoder) -> None:
    def pooled(pooling: int | None) -> sa.MetaData:
        return metadata(EncodedColumns(["title"], words, pooling=pooling))

    assert "pooling=2" in alembic_project.autogenerate(pooled(2))
    alembic_project.upgrade()
    assert db.collection("notes_1").generation.pooling == 2
    alembic_project.check(pooled(2))
    alembic_project.check(pooled(None))  # as it is
    changed = alembic_project.autogenerate(pooled(3))
    assert changed.index("pooling=3") < changed.index("def downgrade") < changed.index("pooling=2")
    alembic_project.upgrade()
    assert [each.pooling for each in db.collection("notes_1").generations] == [2, 3]
    alembic_project.check(pooled(3))
    alembic_project.downgrade("-1")
    assert [each.pooling for each in db.collection("notes_1").generations] == [2]
    alembic_project.upgrade()
    removed = alembic_project.autogenerate(metadata(None))
    assert removed.index("def downgrade") < removed.index("pooling=2")


@pytest.mark.filterwarnings("ignore:autoincrement and existing_autoincrement")  # Alembic's own
def test_autogenerate_of_a_key_that_changes(
    alembic_project: Project, connection: Connection, db: Database, words: WordEncoder
) -> None:
    def notes(kind: Any, key: str = "id") -> sa.MetaData:
        class Base(DeclarativeBase):
            pass

        class Note(Base):
            __tablename__ = "notes"
            __encoding__ = EncodedColumns(["body"], words)
            body: Mapped[str]
            number = mapped_column(key, kind, primary_key=True)

        kept.append(Note)
        return Base.metadata

    kept: list[Any] = []
    alembic_project.autogenerate(notes(sa.Integer))
    alembic_project.upgrade()
    text = alembic_project.autogenerate(notes(sa.BigInteger))
    assert text.index("op.detach_encoding(") < text.index("op.alter_column(") < text.index("op.attach_encoding(")
    alembic_project.upgrade()
    connection.execute("INSERT INTO notes (id, body) VALUES (10000000000, 'some words')")
    db.sync("notes", encoder=words)
    assert check(connection, db, "notes", words) == 1
    connection.execute("DELETE FROM notes")
    alembic_project.downgrade("-1")
    assert [each.type for each in db.collection("notes").key] == ["integer"]
    alembic_project.upgrade()
    text = alembic_project.autogenerate(notes(sa.BigInteger, "key"))
    assert text.index("op.detach_encoding(") < text.index("op.drop_column(") < text.index("op.attach_encoding(")


def test_autogenerate_leaves_alone_what_is_not_its_own(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder
) -> None:
    """With all schemas looked at; warnings, such as of types that SQLAlchemy does not know, are errors here."""
    connection.execute("CREATE SCHEMA blog; CREATE TABLE blog.posts (id int PRIMARY KEY, body text)")
    db.attach("posts", ["body"], words, schema="blog")
    connection.execute("CREATE TABLE notes_1 (id serial PRIMARY KEY, title varchar NOT NULL, body varchar NOT NULL)")
    db.attach("notes_1", ["body"], words)
    names: list[tuple[Any, Any]] = []

    def include_name(name: str | None, type_: str, parents: Any) -> bool:
        names.append((name, type_))
        return name not in ("alembic_version", "blog") and (type_, name) != ("encoding", "notes_1")

    psycopg_project.config.attributes["options"] = {"include_schemas": True, "include_name": include_name}
    psycopg_project.check(metadata(None))
    assert ("notes_1", "encoding") in names
    assert not any(type_ == "table" and name == "collection" for name, type_ in names)
    psycopg_project.config.attributes["options"] = {"include_schemas": True}
    psycopg_project.upgrade()
    text = psycopg_project.autogenerate(metadata(None))
    assert "op.detach_encoding('notes_1')" in text
    assert "schema='blog'" in text
    assert "pgencoder'" not in text


def test_autogenerate_before_the_schema_is_there(tmp_path: Path, empty_url: str, words: WordEncoder) -> None:
    project = Project(tmp_path / "migrations", empty_url)
    assert "op.attach_encoding(" in project.autogenerate(metadata(EncodedColumns(["title"], words)))


def test_the_command_line(
    tmp_path: Path, connection: Connection, db: Database, url: str, models: tuple[str, str, str]
) -> None:
    """`alembic` in a process of its own, as a user runs it."""
    (tmp_path / "app.py").write_text(
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n"
        "from pgencoder.sqlalchemy import EncodedColumns\n"
        "class Base(DeclarativeBase): pass\n"
        "class Note(Base):\n"
        "    __tablename__ = 'notes'\n"
        f"    __encoding__ = EncodedColumns(columns=['body'], model={models[0]!r})\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    body: Mapped[str]\n"
    )
    binary = Path(sys.executable).parent / "alembic"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}

    def alembic(*arguments: str) -> str:
        done = subprocess.run(
            [binary, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=200)  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    alembic("init", "migrations")
    env = tmp_path / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace(
            "target_metadata = None", "import pgencoder.alembic\nimport app\ntarget_metadata = app.Base.metadata"
        )
    )
    ini = tmp_path / "alembic.ini"
    lines = [
        f"sqlalchemy.url = {url.replace('postgresql:', 'postgresql+psycopg:').replace('%', '%%')}"
        if line.startswith("sqlalchemy.url")
        else line
        for line in ini.read_text().splitlines()
    ]
    ini.write_text("\n".join(lines))
    alembic("revision", "--autogenerate", "-m", "notes")
    (tmp_path / "script.sql").write_text(alembic("upgrade", "head", "--sql"))
    alembic("upgrade", "head")
    alembic("check")
    online = definitions(connection)
    alembic("downgrade", "base")
    connection.execute("DROP TABLE alembic_version")
    psql(url, tmp_path / "script.sql")
    assert definitions(connection) == online
    connection.execute("INSERT INTO notes VALUES (1, 'rows in pages')")
    db.sync("notes")
    assert [hit.key for hit in db.search("notes", "an index finds rows")] == [1]
