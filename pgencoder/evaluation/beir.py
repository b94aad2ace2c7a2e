"""Evaluates a collection on a data set in BEIR layout (Thakur et al. 2021, arXiv 2104.08663).

The documents are handled like a user's rows: a table, attach, sync. Only the searches are timed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import sql

from pgencoder.database import Database
from pgencoder.encoders import DEFAULT_MODEL, model_names
from pgencoder.errors import InvalidRequest, MissingExtra
from pgencoder.evaluation.judging import Candidates, Difference, Tuned, difference, tune
from pgencoder.results import Hit
from pgencoder.search import Search
from pgencoder.search.ranking import MEASURES, Ranking, fused, stage_for
from pgencoder.statements import query
from pgencoder.types import STAGES, Chunking, Collection, Encoding, KernelName, Scoring, Stage, TokenType

SCHEMA = "beir"
DEPTH = 100  # of recall@100
WARM_UP = 3
SINGLE = ("dense", "lexical", "sparse", "maxsim")  # stages that rank candidates by one score

OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Dataset:
    """A BEIR folder: the queries and relevance judgements of one split; the documents are read when needed."""

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

    def judgements(self) -> dict[str, dict[str, int]]:
        """Return the relevance of the judged documents by their ids, for each query."""
        judged: dict[str, dict[str, int]] = {}
        for asked, document, relevance in self.qrels:
            judged.setdefault(asked, {})[document] = relevance
        return judged

    def documents(self) -> Iterator[tuple[str, str, str]]:
        """Yield the id, title and text of each document."""
        for line in _lines(self.corpus):
            yield line["_id"], line.get("title") or "", line.get("text") or ""


@dataclass(frozen=True)
class StageResult:
    """The quality of one stage, and its milliseconds for a query without the encoding of the query.

    `queries` has nDCG@10, recall@100 and the milliseconds of each query, by its id.
    """

    ndcg: float
    recall: float
    p50_ms: float
    p95_ms: float
    queries: Mapping[str, tuple[float, float, float]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Report:
    """The result of an evaluation."""

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
    stages: dict[str, StageResult] = field(default_factory=dict)
    tuned: Tuned | None = None
    pooling: int = 1

    @property
    def best_single(self) -> str | None:
        """The best of the stages that rank by one score of candidates, which the others are compared with."""
        single = [name for name in self.stages if name in SINGLE]
        return max(single, key=lambda name: self.stages[name].ndcg, default=None)

    def difference(self, stage: str) -> Difference | None:
        """Compare nDCG@10 of a stage with that of the best single stage; None for that itself."""
        baseline = self.best_single
        if baseline is None or baseline == stage:
            return None
        own, others = self.stages[stage].queries, self.stages[baseline].queries
        return difference(baseline, [own[query][0] for query in others], [each[0] for each in others.values()])

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, with the usual names of the metrics."""
        plain = asdict(self)
        plain["stages"] = {
            name: {"ndcg@10": r.ndcg, "recall@100": r.recall, "p50_ms": r.p50_ms, "p95_ms": r.p95_ms}
            | ({} if (found := self.difference(name)) is None else {"difference": asdict(found)})
            for name, r in self.stages.items()
        }
        return plain

    def rows(self) -> Iterator[tuple[str, str, str, float, float, float]]:
        """Yield the data set, query, stage, nDCG@10, recall@100 and milliseconds of each query."""
        for stage, result in self.stages.items():
            for asked, values in result.queries.items():
                yield (self.dataset, asked, stage, *values)


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
    return Dataset(directory, queries, qrels)


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
    *,
    candidates: int = 100,
    stages: Sequence[Stage] = STAGES,
    train: Dataset | None = None,
    progress: OnStep | None = None,
) -> Report:
    """Load and encode the documents if that is not done yet, then run every judged query through each stage.

    With `train`, other judged queries of the same documents, the weights of the fusion are tuned on those; the stage
    "tuned" has what they reach. `progress` is called with "encoding" or a stage, and with the number of rows or queries
    that are done and of all.
    """
    name = prepare(db, dataset, encoded)
    db.sync(name, progress=None if progress is None else partial(progress, "encoding"))
    collection = db.collection(name)
    state = next(each for each in db.status() if each.name == name)
    queries = {query: db.encode_query(collection, text) for query, text in dataset.queries.items()}
    stored = collection.generation.stored
    possible = {"lexical": "lexical", "sparse": "sparse", "maxsim": "tokens", "exhaustive": "tokens"}
    stages = [stage for stage in stages if possible.get(stage, stage) in stored or stage in ("fused", "rrf")]
    kernel = db.kernel()
    run = _Run(db, collection, dataset, queries, candidates)
    results: dict[str, StageResult] = {stage: run.measure(stage, stage, progress) for stage in stages}
    tuned = None
    if train is not None:
        tuned = _tuned(db, collection, train, candidates, progress)
        results["tuned"] = run.measure("tuned", fused("zscore", stored, tuned.weights), progress)
    return Report(
        dataset=dataset.name,
        model=model_names(collection.generation.encoder),
        documents=state.source_rows or 0,
        queries=len(queries),
        passages=state.passages,
        chunking=encoded.chunking,
        tokens=encoded.tokens,
        candidates=candidates,
        kernel=kernel.name,
        scoring=kernel.scoring(encoded.tokens),
        bytes_per_passage=state.bytes_per_passage or 0,
        stages=results,
        tuned=tuned,
        pooling=encoded.pooling,
    )


def _tuned(db: Database, collection: Collection, train: Dataset, candidates: int, progress: OnStep | None) -> Tuned:
    """Tune the weights of the fusion: one search for each query, whose candidates are then ranked in many ways."""
    stored = collection.generation.stored
    names = [name for name, measure in MEASURES.items() if measure.name in stored]
    ranking, judged, found = fused("zscore", stored), train.judgements(), []
    for number, (name, text) in enumerate(train.queries.items(), 1):
        asked = db.encode_query(collection, text)
        every = Search(2 * candidates, candidates, group="document", stage=ranking)
        found.append(Candidates.of(db.run(collection, every, asked), names, judged[name]))
        if progress is not None:
            progress("tuning", number, len(train.queries))
    return tune(found, names)


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


@dataclass(frozen=True)
class _Run:
    """The queries of an evaluation, encoded, and the collection that they search."""

    db: Database
    collection: Collection
    dataset: Dataset
    queries: dict[str, Encoding]
    candidates: int

    def measure(self, name: str, stage: Stage | Ranking, progress: OnStep | None) -> StageResult:
        """Run all queries through a stage and return its quality and times."""
        run: list[tuple[str, str, float]] = []
        seconds = []
        for encoding in list(self.queries.values())[: WARM_UP if stage != "exhaustive" else 1]:
            self._search(encoding, stage, 10)
        for i, (asked, encoding) in enumerate(self.queries.items()):
            started = time.perf_counter()
            hits = self._search(encoding, stage, DEPTH if stage == "exhaustive" else 10)
            seconds.append(time.perf_counter() - started)
            hits = self._deeper(hits, encoding, stage)
            run += [(asked, key, -rank) for rank, key in enumerate(_distinct(hits))]
            if progress is not None:
                progress(name, i + 1, len(self.queries))
        found = _measure(self.dataset, run)
        ndcg, recall = (statistics.mean(values) for values in zip(*found.values(), strict=True))
        cuts = statistics.quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 20
        each = {query: (*found[query], taken * 1000) for query, taken in zip(self.queries, seconds, strict=True)}
        return StageResult(ndcg, recall, statistics.median(seconds) * 1000, cuts[18] * 1000, each)

    def _search(self, encoding: Encoding, stage: Stage | Ranking, k: int) -> list[Hit]:
        ranking = stage_for(stage, self.collection.generation.stored)
        return self.db.run(self.collection, Search(k, self.candidates, group="document", stage=ranking), encoding)

    def _deeper(self, hits: list[Hit], encoding: Encoding, stage: Stage | Ranking) -> list[Hit]:
        """Add the hits after the tenth, which only recall@100 needs; the times do not include them."""
        if stage == "exhaustive":
            return hits
        if stage == "maxsim":
            every = Search(self.candidates, self.candidates, group="passage", stage=stage)
            return hits + self.db.run(self.collection, every, encoding)
        ranking = stage_for(stage, self.collection.generation.stored)
        candidates = DEPTH if stage in SINGLE else self.candidates
        deep = self.db.run(self.collection, Search(DEPTH, candidates, group="document", stage=ranking), encoding)
        return deep if stage in SINGLE else hits + deep


def _distinct(hits: Iterable[Hit]) -> list[str]:
    return list(dict.fromkeys(str(hit.key) for hit in hits))


def _measure(dataset: Dataset, run: Iterable[tuple[str, str, float]]) -> dict[str, tuple[float, float]]:
    """Return nDCG@10 and recall@100 of each query; those without hits have 0."""
    try:
        import ir_measures
    except ImportError as error:
        raise MissingExtra("eval needs ir-measures; run: pip install 'pgencoder[eval]'") from error
    measures = (ir_measures.nDCG @ 10, ir_measures.R @ DEPTH)
    values = dict.fromkeys(((query, measure) for query in dataset.queries for measure in measures), 0.0)
    found = ir_measures.iter_calc(
        measures,
        [ir_measures.Qrel(*row) for row in dataset.qrels],
        [ir_measures.ScoredDoc(*row) for row in run],
    )
    values.update({(each.query_id, each.measure): each.value for each in found})
    return {query: (values[query, measures[0]], values[query, measures[1]]) for query in dataset.queries}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)
