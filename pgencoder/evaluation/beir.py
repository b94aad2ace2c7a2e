"""A data set in BEIR layout (Thakur et al. 2021, arXiv 2104.08663) as a collection.

The documents are handled like a user's rows: a table, attach, sync.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import sql

from pgencoder.database import Database
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation import evaluating
from pgencoder.evaluation.evaluating import Plan
from pgencoder.evaluation.judging import Judged
from pgencoder.evaluation.measuring import OnStep
from pgencoder.evaluation.reports import Report
from pgencoder.statements import query
from pgencoder.types import Chunking, TokenType

SCHEMA = "beir"
PLAN = Plan()


@dataclass(frozen=True)
class Dataset(Judged):
    """A BEIR folder: the queries and relevance judgements of one split; the documents are read when needed."""

    directory: Path

    @property
    def corpus(self) -> Path:
        """The file of the documents."""
        return self.directory / "corpus.jsonl"

    def documents(self) -> Iterator[tuple[str, str, str]]:
        """Yield the id, title and text of each document."""
        for line in _lines(self.corpus):
            yield line["_id"], line.get("title") or "", line.get("text") or ""


def read(directory: Path, split: str = "test") -> Dataset:
    """Read a BEIR folder; raises InvalidRequest if a file is missing."""
    directory = directory.resolve()
    files = [directory / "corpus.jsonl", directory / "queries.jsonl", directory / "qrels" / f"{split}.tsv"]
    missing = [str(file.relative_to(directory)) for file in files if not file.is_file()]
    if missing:
        raise InvalidRequest(f"{directory.name} is not a BEIR folder: it has no {', '.join(missing)}")
    with files[2].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))[1:]
    qrels = [(query, document, int(relevance)) for query, document, relevance in rows]
    judged = {query for query, _, _ in qrels}
    queries = {line["_id"]: line["text"] for line in _lines(files[1]) if line["_id"] in judged}
    return Dataset(directory.name, queries, qrels, directory)


@dataclass(frozen=True)
class Setup:
    """The encoding of the documents of an evaluation; the fields are arguments of `Database.attach`."""

    model: str = DEFAULT_MODEL
    token_model: str | None = None
    tokens: TokenType = "bit"
    chunking: Chunking = "default"
    lexical: str = "english"
    pooling: int = 1
    sparse_model: str | None = None

    def collection_of(self, dataset: Dataset) -> str:
        """Return the name of the collection of a data set that is encoded so."""
        name = f"{dataset.name[:16]}_{self.chunking}_{self.tokens}"
        rest = [self.model, self.token_model, self.lexical, self.pooling]
        if rest == [DEFAULT_MODEL, None, "english", 1] and self.sparse_model is None:
            return name
        rest += [] if self.sparse_model is None else [self.sparse_model]
        return name + "_" + hashlib.sha256(" ".join(map(str, rest)).encode()).hexdigest()[:6]


DEFAULT = Setup()


def evaluate(
    db: Database,
    dataset: Dataset,
    encoded: Setup = DEFAULT,
    plan: Plan = PLAN,
    train: Dataset | None = None,
    progress: OnStep | None = None,
) -> Report:
    """Load and encode the documents if that is not done yet, then measure: see `evaluating.evaluate`.

    `train` has other judged queries of the same documents. The first step of `progress` is "encoding", with the number
    of rows that are done and of all.
    """
    name = prepare(db, dataset, encoded)
    db.sync(name, progress=None if progress is None else partial(progress, "encoding"))
    return evaluating.evaluate(db, name, dataset, plan, train, progress)


def prepare(db: Database, dataset: Dataset, encoded: Setup) -> str:
    """Load the documents, attach the collection if it does not exist, and return its name."""
    load_documents(db, dataset)
    name = encoded.collection_of(dataset)
    if name not in [each.name for each in db.collections()]:
        db.attach(
            dataset.name,
            ["title", "text"],
            encoded.model,
            token_model=encoded.token_model,
            sparse_model=encoded.sparse_model,
            schema=SCHEMA,
            name=name,
            tokens=encoded.tokens,
            chunking=encoded.chunking,
            lexical=encoded.lexical,
            pooling=encoded.pooling,
            allow_untrained=True,
        )
    return name


def load_documents(db: Database, dataset: Dataset, limit: int | None = None) -> None:
    """Copy the documents into the table `beir.<name>`, unless it has the same documents; `limit` takes the first."""
    version = hashlib.sha256(dataset.corpus.read_bytes()).hexdigest() + (f" first {limit}" if limit else "")
    table = sql.Identifier(SCHEMA, dataset.name)
    with db.connection() as connection, connection.transaction():
        row = connection.execute(
            "SELECT pg_catalog.obj_description(pg_catalog.to_regclass(%s), 'pg_class')", [table.as_string(connection)]
        ).fetchone()
        if row is not None and row[0] == version:
            return
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        connection.execute(query("create_beir").format(table=table))
        connection.execute(sql.SQL("TRUNCATE {}").format(table))
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
            for i, document in enumerate(dataset.documents()):
                if limit is None or i < limit:
                    copy.write_row(document)
        connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(version)))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)
