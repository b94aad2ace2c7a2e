"""The search as SQL text, from the templates in `sql/queries/`, for Python and for the stored function alike.

    setting    sets ef_search and the iterative scan for this statement, before the index scan starts
    nearest    the nearest passages by the index, the filter applied inside
    wider      only for results by document: ten times as many, where the nearest have fewer than k documents
    exact      only where those fell short: the nearest among all that pass the filter, without the index
    recall     the candidates, ranked
    scored     the scores of the candidates
    the whole  the best of them, by one score

A stage that is not needed costs its planning only: its condition is a single-row subquery, which Postgres checks once
before it starts the stage. This is what makes "fewer than k rows only if the filter leaves fewer" true: a filtered
HNSW scan stops after `hnsw.max_scan_tuples`, and the exact stage then answers.

Some measures have no index of their order, only one of what the nearest have: then `nearest` sorts those that fulfil
the measure's condition, and `exact` runs only where that left out some that match. A measure may let the collection
make the query, which is then the row of `<measure>_asked`.

If there are several recalls, each has separate stages, and `recall` is their union. The source is a subquery of its
keys, k1, k2, ..., with the filter inside: there a plain column name can only be the source's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from psycopg import sql

from pgencoder import statements
from pgencoder.representations.base import Measure, setting_name
from pgencoder.search.ranking import Ranking
from pgencoder.statements import Part, as_text, identifier, listed, own, raw
from pgencoder.types import Collection, Group

FIELDS = ("score", "relevance", "recall_rank", "dense_score", "parts")
"""The columns of a search after those of the passage."""

# what people call the measures that have another name
_PEOPLE = {"tokens": "maxsim"}
_NONE = "NULL::double precision"


@dataclass(frozen=True)
class Options:
    """The properties of a search, beside its ranking, that decide its text.

    `extra`: select the candidates themselves, with those columns, and without a score. `boosted`: the source has a
    column `boost`, which is added to the score. `limited`: candidates must have a relevance of at least
    {min_relevance}. `nullable`: a query may be NULL, and then recalls nothing.
    """

    group: Group = "passage"
    extra: tuple[str, ...] | None = None
    boosted: bool = False
    limited: bool = False
    nullable: bool = False


@cache
def template(keys: int, ranking: Ranking, options: Options) -> str:
    """Return the text of a search for a key of that many columns.

    To be filled are: passages, their key as passage_key, source (a subquery without its name), same (joins the two),
    same_found (joins passages with those that were found before), check (a condition that raises an error, or is true),
    k, candidates, and for each measure the query, under the measure's name. Measures that ask need ask_<name> and
    by_<name>, the quoted function and view of the collection.
    """
    return _Rendering(keys, ranking, options).whole()


def search_text(
    collection: Collection,
    ranking: Ranking,
    options: Options,
    *,
    table: Part,
    keys: Sequence[Part],
    columns: Sequence[str],
    where: Part | None = None,
    boost: Part | None = None,
    **holes: Part,
) -> sql.Composed:
    """Return the whole search of a collection: the key, `columns`, best first.

    `table` is the source as FROM takes it, `keys` are its key columns, `where` is a condition on its rows,
    `boost` a number of them. `holes` are those of `template` that are left: check, k, candidates, and
    the query for each measure.
    """
    names = key_names(len(collection.key))
    chosen = listed(key + raw(f" AS {name}") for key, name in zip(keys, names, strict=True))
    if boost is not None:
        chosen = chosen + raw(", (") + boost + raw(")::double precision AS boost")
    condition = raw("") if where is None else raw(" WHERE (") + where + raw(")")
    order = ", ".join(["score DESC NULLS LAST", *names, "passage"])
    found = template(len(names), ranking, options)
    key = [each.name for each in collection.key]
    return sql.SQL(f"SELECT {', '.join([*names, *columns])} FROM ({found}) AS hits ORDER BY {order}").format(
        passages=own(collection.generation.passages),
        passage_key=listed(identifier("passages", name) for name in key),
        same=raw(same(key, _quoted)),
        same_found=raw(same(key, _quoted, "found")),
        **{f"ask_{name}": own(f"{collection.name}_{name}") for name in ranking.measures},
        **{f"by_{name}": own(f"{collection.name}_by_{name}") for name in ranking.measures},
        source=raw("(SELECT ") + chosen + raw(" FROM ") + table + condition + raw(")"),
        **holes,
    )


class _Rendering:
    """The parts of one search."""

    def __init__(self, keys: int, ranking: Ranking, options: Options) -> None:
        self.ranking, self.options = ranking, options
        self.group, extra = options.group, options.extra
        self.extra = extra
        self.keys = ", ".join(key_names(keys))
        self.source_keys = ", ".join(f"source.{name}" for name in key_names(keys))
        # what a score is not known from the recall for has its column carried to where it is computed
        computed = (
            measure.name for measure in ranking.scores if not (measure.exact and [measure] == [*ranking.recalls])
        )
        carried = computed if extra is None else extra
        boost = ["boost"] if options.boosted else []
        self.columns = list(dict.fromkeys(["passage", "span", "content", *carried, *boost]))

    def whole(self) -> str:
        if not self.ranking.recalls:
            boost = ", source.boost" if self.options.boosted else ""
            parts = [*self._asked(), self._fill("search_all", boost=boost, scores=self._scores())]
            return f"WITH {', '.join(parts)}\n{self._best()}"
        several = len(self.ranking.recalls) > 1
        # after the check: a vector of another model may have other dimensions
        parts = [self._fill("search_setting"), *self._asked(" WHERE (SELECT done FROM setting) IS NOT NULL")]
        for measure in self.ranking.recalls:
            parts += self._recall(measure, f"{measure.name}_" if several else "")
        if several:
            parts.append(self._union())
        if self.extra is None:
            boost = ", boost" if self.options.boosted else ""
            parts.append(self._fill("search_scored", boost=boost, scores=self._scores()))
        return f"WITH {', '.join(parts)}\n{self._best() if self.extra is None else self._candidates()}"

    def _asked(self, condition: str = "") -> list[str]:
        """Return the queries that the collection makes."""
        return [
            self._fill(
                "search_asked", asked=f"{name}_asked", function=f"{{ask_{name}}}({{{name}}})", condition=condition
            )
            for name, measure in self.ranking.measures.items()
            if measure.asks
        ]

    def _recall(self, measure: Measure, prefix: str) -> list[str]:
        """Return the stages of one recall, and the union of their candidates with ranks."""
        query = self._query(measure)
        distance = measure.distance(query)
        if measure.candidates(query) is not None:
            return self._recall_among(measure, prefix)
        hidden = f"{distance} OPERATOR(pg_catalog.+) 0"  # from the index
        stages = [f"{prefix}nearest"]
        parts = [self._nearest(query, stages[0], distance)]
        short = f"(SELECT pg_catalog.count(*) FROM {stages[0]}) OPERATOR(pg_catalog.<) {{candidates}}"
        order = "distance"
        if self.group == "document":
            many = "{candidates}::bigint OPERATOR(pg_catalog.*) 10"
            parts.append(self._nearest(query, f"{prefix}wider", distance, self._few_documents(stages), limit=many))
            stages.append(f"{prefix}wider")
            short = f"({short} OR {self._few_documents(stages)})"
            # the best passage of a document comes before any second one
            order = self._first_of_each(hidden)
        parts.append(self._nearest(query, f"{prefix}exact", hidden, short, order))
        return [*parts, self._fill("search_recall", recall=f"{prefix}recall", stages=self._together(stages, prefix))]

    def _recall_among(self, measure: Measure, prefix: str) -> list[str]:
        """Do the same where the nearest are among those that a view shows; fewer may match than are wanted."""
        asked, stages, order = self._query(measure), [f"{prefix}nearest"], "distance"
        chosen, widened = f"{measure.name}_chosen", f"{measure.name}_widened"
        parts = [self._settings(measure, chosen), self._sorted(measure, stages[0], chosen)]
        short = f"(SELECT pg_catalog.count(*) FROM {stages[0]}) OPERATOR(pg_catalog.<) {{k}}"
        if self.group == "document":
            many = "{candidates}::bigint OPERATOR(pg_catalog.*) 10"
            full = f"(SELECT pg_catalog.count(*) FROM {stages[0]}) OPERATOR(pg_catalog.>=) {{candidates}}"
            few = f" AND {full} AND {self._few_documents(stages)}"
            parts.append(self._sorted(measure, f"{prefix}wider", chosen, few, limit=many))
            stages.append(f"{prefix}wider")
            short, order = self._few_documents(stages), self._first_of_each("passages.distance")
        # after the others: the view looks at the settings of now
        parts.append(self._settings(measure, widened, f" AND {measure.unfinished(asked)} AND {short}"))
        parts.append(self._sorted(measure, f"{prefix}exact", widened, order=order))
        union = " UNION ALL ".join(f"TABLE {stage}" for stage in [*stages, f"{prefix}exact"])
        together = f"SELECT DISTINCT ON ({self.keys}, passage) * FROM ({union}) AS stages"
        return [*parts, self._fill("search_recall", recall=f"{prefix}recall", stages=together)]

    def _first_of_each(self, distance: str) -> str:
        """Return the order in which the best passage of a document comes before any second one."""
        return (
            f"pg_catalog.row_number() OVER (PARTITION BY {self.source_keys} ORDER BY {distance})"
            " OPERATOR(pg_catalog.>) 1, distance"
        )

    def _query(self, measure: Measure) -> str:
        return f"{measure.name}_asked" if measure.asks else f"{{{measure.name}}}"

    def _together(self, stages: Sequence[str], prefix: str) -> str:
        """All that the stages of one recall found, each passage once."""
        if self.group == "passage":  # the exact stage finds the nearest again
            enough = f"(SELECT pg_catalog.count(*) FROM {stages[0]}) OPERATOR(pg_catalog.>=) {{candidates}}"
            return f"SELECT * FROM {stages[0]} WHERE {enough} UNION ALL TABLE {prefix}exact"
        union = " UNION ALL ".join(f"TABLE {stage}" for stage in [*stages, f"{prefix}exact"])
        return f"SELECT DISTINCT ON ({self.keys}, passage) * FROM ({union}) AS stages"

    def _nearest(
        self,
        query: str,
        stage: str,
        distance: str,
        condition: str = "",
        order: str = "distance",
        limit: str = "{candidates}",
    ) -> str:
        condition = f" AND {condition}" if condition else ""
        if self.options.nullable:
            condition = f" AND {query} IS NOT NULL{condition}"
        return self._fill(
            "search_nearest",
            stage=stage,
            stored=", ".join(f"{'source' if column == 'boost' else 'passages'}.{column}" for column in self.columns),
            distance=distance,
            condition=condition,
            order=order,
            limit=limit,
        )

    def _settings(self, measure: Measure, stage: str, condition: str = "") -> str:
        """Set what the view shows: the candidates, or, with a condition, all that match."""
        values = measure.settings("asked", every=bool(condition))
        calls = (
            f"pg_catalog.set_config('{setting_name(measure.name, name)}', {value}, true)"
            for name, value in values.items()
        )
        return self._fill(
            "search_settings",
            stage=stage,
            settings=f"pg_catalog.concat({', '.join(calls)})",
            asked=self._query(measure),
            condition=f"(SELECT done FROM setting) IS NOT NULL AND asked.weights IS NOT NULL{condition}",
        )

    def _sorted(
        self,
        measure: Measure,
        stage: str,
        settings: str,
        condition: str = "",
        order: str = "distance",
        limit: str = "{candidates}",
    ) -> str:
        return self._fill(
            "search_among",
            stage=stage,
            found_keys=self.source_keys.replace("source.", "found."),
            stored=", ".join(f"{'found' if column == 'boost' else 'passages'}.{column}" for column in self.columns),
            boost=", source.boost" if self.options.boosted else "",
            by=f"{{by_{measure.name}}}",
            condition=f"(SELECT done FROM {settings}) IS NOT NULL{condition}",
            order=order,
            limit=limit,
        )

    def _few_documents(self, stages: Sequence[str]) -> str:
        found = " UNION ".join(f"SELECT {self.keys} FROM {stage}" for stage in stages)
        distinct = found if len(stages) > 1 else found.replace("SELECT", "SELECT DISTINCT", 1)
        return f"(SELECT pg_catalog.count(*) FROM ({distinct}) AS documents) OPERATOR(pg_catalog.<) {{k}}"

    def _union(self) -> str:
        names = [measure.name for measure in self.ranking.recalls]
        rows = []
        for name in names:
            own = {f"{name}_distance": "distance", f"{name}_rank": "recall_rank"}
            each = ", ".join(
                f"{own.get(column, none)} AS {column}"
                for other in names
                for column, none in ((f"{other}_distance", _NONE), (f"{other}_rank", "NULL::int"))
            )
            rows.append(f"SELECT {self.keys}, {', '.join(self.columns)}, recall_rank, {each} FROM {name}_recall")
        together = ", ".join(
            f"pg_catalog.min({column}) OVER passage AS {column}"
            for column in ["recall_rank", *(f"{name}_{what}" for name in names for what in ("distance", "rank"))]
        )
        return self._fill("search_union", together=together, recalls=" UNION ALL ".join(rows))

    def _scores(self) -> str:
        return ", ".join(f"{self._score(measure)} AS {measure.name}_score" for measure in self.ranking.scores)

    def _score(self, measure: Measure) -> str:
        recalls = self.ranking.recalls
        score = measure.score(self._query(measure))
        if measure not in recalls or not measure.exact:
            return score
        if len(recalls) == 1:
            return "OPERATOR(pg_catalog.-) distance"
        return f"coalesce(OPERATOR(pg_catalog.-) {measure.name}_distance, {score})"

    def _best(self) -> str:
        columns = {each.name: f"{each.name}_score" for each in self.ranking.scores}
        relevances = {each.name: f"{each.name}_relevance" for each in self.ranking.scores}
        score = self.ranking.fusion.score(columns)
        if self.options.boosted:
            score = f"({score}) OPERATOR(pg_catalog.+) coalesce(boost, 0)"
        # without a recall all passages are scored, and ranks would have to be kept of all
        ranks = {
            name: f"CASE WHEN {column} IS NOT NULL THEN pg_catalog.rank() OVER (ORDER BY {column} DESC NULLS LAST) END"
            for name, column in columns.items()
            if self.ranking.recalls
        }
        computed = [
            f"{each.relevance(columns[each.name], self._query(each))} AS {relevances[each.name]}"
            for each in self.ranking.scores
        ] + [f"{rank} AS {name}_place" for name, rank in ranks.items()]
        best = (
            f"(SELECT *, {score} AS score, {self.ranking.fusion.relevance(relevances)} AS relevance"
            f" FROM (SELECT *, {', '.join(computed)} FROM scored) AS measured) AS fused"
        )
        if self.options.limited:
            best += " WHERE relevance OPERATOR(pg_catalog.>=) {min_relevance}"
        if self.group == "document":
            best = (
                f"(SELECT DISTINCT ON ({self.keys}) * FROM {best}"
                f" ORDER BY {self.keys}, score DESC NULLS LAST, passage) AS best"
            )
        parts = ", ".join(
            f"'{_PEOPLE.get(name, name)}', pg_catalog.jsonb_build_object('score', {column}, 'rank',"
            f" {f'{name}_place' if ranks else 'NULL::int'})"
            for name, column in columns.items()
        )
        shown = columns.get("dense", _NONE)
        return self._fill("search_best", best=best, shown=f"{shown} AS dense_score", parts=parts)

    def _candidates(self) -> str:
        (measure,) = self.ranking.recalls
        return self._fill("search_candidates", shown=f"OPERATOR(pg_catalog.-) distance AS {measure.name}_score")

    def _fill(self, name: str, **parts: str) -> str:
        parts = {"keys": self.keys, "source_keys": self.source_keys, "columns": ", ".join(self.columns), **parts}
        return re.sub(r"\{(\w+)\}", lambda hole: parts.get(hole[1], hole[0]), statements.template(name))


def key_names(keys: int) -> list[str]:
    """Return what the columns of a key of that many are called inside a search."""
    return [f"k{i}" for i in range(1, keys + 1)]


def same(passage_key: Sequence[str], quote: Callable[[str], str], relation: str = "source") -> str:
    """Return the condition that a passage is of a row of the source, or of another relation with its keys."""
    pairs = zip(passage_key, key_names(len(passage_key)), strict=True)
    return " AND ".join(f"passages.{quote(name)} OPERATOR(pg_catalog.=) {relation}.{k}" for name, k in pairs)


def _quoted(name: str) -> str:
    return as_text(identifier(name))
