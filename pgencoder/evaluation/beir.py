"""Evaluates a collection on a data set in BEIR layout (Thakur et al. 2021, arXiv 2104.08663).

The documents go the way of any user's rows: a table, attach, sync. Only the searches are timed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from psycopg import sql

from pgencoder.client import Database
from pgencoder.encoders import DEFAULT_MODEL, model_names
from pgencoder.errors import InvalidRequest, MissingExtra
from pgencoder.ingest.backfill import Progress
from pgencoder.results import Hit
from pgencoder.search import Search
from pgencoder.types import Chunking, Collection, Encoding, KernelName, Scoring, Stage, TokenType

SCHEMA = "beir"
DEPTH = 100  # of recall@100
WARM_UP = 3

Ticker = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Dataset:
    """A BEIR folder: queries with relevance judgements of one split; documents are read when they are needed."""

    directory: Path
    queries: dict[str, str]
    qrels: list[tuple[str, str, int]]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.directory.name

    @property
    def corpus(self) -> Path:
        """The file of the documents."""
        return self.directory / "corpus.jsonl"

    def documents(self) -> Iterator[tuple[str, str, str]]:
        """Id, title and text of each document."""
        for line in _lines(self.corpus):
            yield line["_id"], line.get("title") or "", line.get("text") or ""


@dataclass(frozen=True)
class StageResult:
    """Quality and milliseconds a query of one stage, the query's encoding not counted."""

    ndcg: float
    recall: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Report:
    """An evaluation."""

    dataset: str
    model: str
    documents: int
    queries: int
    passages: int
    chunking: Chunking
    tokens: TokenType
    candidates: int
    kernel: KernelName
    scoring: Scoring
    bytes_per_passage: int
    stages: dict[Stage, StageResult] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON values, the metrics under their usual names."""
        plain = asdict(self)
        plain["stages"] = {
            name: {"ndcg@10": r.ndcg, "recall@100": r.recall, "p50_ms": r.p50_ms, "p95_ms": r.p95_ms}
            for name, r in self.stages.items()
        }
        return plain


def read(directory: Path, split: str = "test") -> Dataset:
    """Read a BEIR folder; raises InvalidRequest if a file is missing."""
    directory = directory.resolve()
    files = [directory / "corpus.jsonl", directory / "queries.jsonl", directory / "qrels" / f"{split}.tsv"]
    missing = [str(file.relative_to(directory)) for file in files if not file.is_file()]
    if missing:
        raise InvalidRequest(f"{directory.name} is no BEIR folder: it has no {', '.join(missing)}")
    with files[2].open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))[1:]
    qrels = [(query, document, int(relevance)) for query, document, relevance in rows]
    judged = {query for query, _, _ in qrels}
    queries = {line["_id"]: line["text"] for line in _lines(files[1]) if line["_id"] in judged}
    return Dataset(directory, queries, qrels)


def evaluate(
    db: Database,
    dataset: Dataset,
    *,
    model: str = DEFAULT_MODEL,
    token_model: str | None = None,
    tokens: TokenType = "bit",
    chunking: Chunking = "default",
    candidates: int = 100,
    stages: Sequence[Stage] = ("dense", "maxsim", "exhaustive"),
    on_sync: Progress | None = None,
    on_query: Ticker | None = None,
) -> Report:
    """Load and encode the documents unless that is done, then run every judged query through each stage."""
    name = prepare(db, dataset, model, token_model, tokens, chunking)
    db.sync(name, progress=on_sync)
    collection = db.collection(name)
    state = next(each for each in db.status() if each.name == name)
    queries = {query: db.encode_query(collection, text) for query, text in dataset.queries.items()}
    kernel = db.kernel()
    results = {stage: _run_stage(db, collection, dataset, queries, stage, candidates, on_query) for stage in stages}
    return Report(
        dataset=dataset.name,
        model=model_names(collection.generation.encoder),
        documents=state.source_rows or 0,
        queries=len(queries),
        passages=state.passages,
        chunking=chunking,
        tokens=tokens,
        candidates=candidates,
        kernel=kernel.name,
        scoring=kernel.scoring(tokens),
        bytes_per_passage=state.bytes_per_passage or 0,
        stages=results,
    )


def prepare(
    db: Database, dataset: Dataset, model: str, token_model: str | None, tokens: TokenType, chunking: Chunking
) -> str:
    """The name of the collection for these choices, made if it is not there, its rows queued."""
    load_documents(db, dataset)
    name = f"{dataset.name[:16]}_{chunking}_{tokens}"
    if (model, token_model) != (DEFAULT_MODEL, None):
        name += "_" + hashlib.sha256(f"{model} {token_model}".encode()).hexdigest()[:6]
    if name not in [each.name for each in db.collections()]:
        db.attach(
            dataset.name,
            ["title", "text"],
            model,
            token_model=token_model,
            schema=SCHEMA,
            name=name,
            tokens=tokens,
            chunking=chunking,
            allow_untrained=True,
        )
    return name


def load_documents(db: Database, dataset: Dataset, limit: int | None = None) -> None:
    """Copy the documents into `beir.<name>`, unless the same file is there already."""
    version = hashlib.sha256(dataset.corpus.read_bytes()).hexdigest() + (f" first {limit}" if limit else "")
    table = sql.Identifier(SCHEMA, dataset.name)
    with db.connection() as connection, connection.transaction():
        row = connection.execute(
            "SELECT pg_catalog.obj_description(pg_catalog.to_regclass(%s), 'pg_class')", [table.as_string(connection)]
        ).fetchone()
        if row is not None and row[0] == version:
            return
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {}"
                " (id pg_catalog.text PRIMARY KEY, title pg_catalog.text, text pg_catalog.text)"
            ).format(table)
        )
        connection.execute(sql.SQL("TRUNCATE {}").format(table))
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
            for i, document in enumerate(dataset.documents()):
                if limit is None or i < limit:
                    copy.write_row(document)
        connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(version)))


def _run_stage(
    db: Database,
    collection: Collection,
    dataset: Dataset,
    queries: dict[str, Encoding],
    stage: Stage,
    candidates: int,
    on_query: Ticker | None,
) -> StageResult:
    run: list[tuple[str, str, float]] = []
    seconds = []
    for query in list(queries.values())[: WARM_UP if stage != "exhaustive" else 1]:
        db.run(collection, Search(candidates=candidates, group="document", stage=stage), query)
    for i, (name, query) in enumerate(queries.items()):
        # what a user runs is timed; what lies beyond its tenth place is only for recall@100
        k = DEPTH if stage == "exhaustive" else 10
        started = time.perf_counter()
        hits = db.run(collection, Search(k, candidates, group="document", stage=stage), query)
        seconds.append(time.perf_counter() - started)
        if stage == "dense":
            hits = db.run(collection, Search(DEPTH, DEPTH, group="document", stage=stage), query)
        elif stage == "maxsim":
            hits += db.run(collection, Search(candidates, candidates, group="passage", stage=stage), query)
        run += [(name, key, -rank) for rank, key in enumerate(_distinct(hits))]
        if on_query is not None:
            on_query(stage, i + 1, len(queries))
    ndcg, recall = _measure(dataset, run)
    cuts = statistics.quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 20
    return StageResult(ndcg, recall, statistics.median(seconds) * 1000, cuts[18] * 1000)


def _distinct(hits: Iterable[Hit]) -> list[str]:
    return list(dict.fromkeys(str(hit.key) for hit in hits))


def _measure(dataset: Dataset, run: Iterable[tuple[str, str, float]]) -> tuple[float, float]:
    try:
        import ir_measures
    except ImportError as error:
        raise MissingExtra("eval needs ir-measures; run: pip install 'pgencoder[eval]'") from error
    found = ir_measures.calc_aggregate(
        [ir_measures.nDCG @ 10, ir_measures.R @ DEPTH],
        [ir_measures.Qrel(*row) for row in dataset.qrels],
        [ir_measures.ScoredDoc(*row) for row in run],
    )
    return found[ir_measures.nDCG @ 10], found[ir_measures.R @ DEPTH]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)
