"""Shows evaluations as one HTML page that stands alone: no scripts, nothing from elsewhere, light and dark colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape

from pgencoder.evaluation import plots, texts
from pgencoder.evaluation.judging import Judgements
from pgencoder.evaluation.plots import Interval, Point, Series, Words
from pgencoder.evaluation.reports import Cost, Curves, Report
from pgencoder.plain import one_line, shown_key
from pgencoder.results import Hit
from pgencoder.search.rerank import NAME as CROSS_ENCODER

MOST_QUERIES = 10  # that gain the most, and as many that lose
LONGEST = 300  # characters of a passage

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1d2430;--faint:#5b6575;--rule:#d9dee6;
--c0:#0068b0;--c1:#b84300;--c2:#007a58;--c3:#a0408f;--c4:#7a5c00;--c5:#3c4a5c}
@media(prefers-color-scheme:dark){:root{--ground:#14181f;--ink:#e6e9ee;--faint:#9aa5b4;--rule:#333b47;
--c0:#6cb8f5;--c1:#ff9a5c;--c2:#4ccfa5;--c3:#e79bdb;--c4:#e5c04d;--c5:#b9c4d3}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1rem clamp(1rem,4vw,2rem) 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.5rem 0 .75rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.note{border-left:3px solid var(--c4);padding-left:.75rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.75rem 1.25rem;margin:0}
dt{color:var(--faint);font-size:.85rem}
dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.wide{grid-column:1/-1}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.95rem}
th{color:var(--faint);font-weight:500;font-size:.85rem;vertical-align:bottom}
th,td{padding:.3rem 1.1rem .3rem 0;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:2rem}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:.5rem}
figcaption span{display:block;font-weight:400;font-size:.9rem;color:var(--faint)}
.plot{display:block;width:100%;max-width:33rem;height:auto}
.key{width:1.5rem;height:.75rem;vertical-align:baseline;margin-right:.4rem}
svg text{font:12px system-ui,sans-serif;fill:var(--ink);font-variant-numeric:tabular-nums;
paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}
svg .axis{fill:var(--faint)}
svg .beside{fill:var(--c)}
svg path{fill:none;stroke:var(--c);stroke-width:1.8}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .mark{fill:var(--c);stroke-width:1.6}
.hollow .mark{fill:var(--ground)}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}
details{margin-top:.5rem}
summary{cursor:pointer;color:var(--faint);font-size:.9rem}
ol{list-style:none;margin:0;padding:0;max-width:46rem}
li{border-bottom:1px solid var(--rule);padding:.75rem 0}
li p{margin:.25rem 0 0;font-size:.9rem;overflow-wrap:anywhere}
.ask{font-weight:600;font-size:1rem;margin:0}
.faint{color:var(--faint)}
@media(prefers-contrast:more){:root{--faint:var(--ink);--rule:var(--ink)}}
@media print{main{max-width:none}}
"""


def page(reports: Sequence[Report]) -> str:
    """Return the page of one or several evaluations."""
    title = escape(one_line(f"Retrieval on {', '.join(each.dataset for each in reports)}"))
    if len(reports) == 1:
        parts = list(_report(reports[0], "h2"))
    else:
        parts = [f"<h2>Mean of {len(reports)} data sets</h2>", _table(*texts.means(reports))]
        for each in reports:
            parts += [f"<h2>{_shown(each.dataset)}</h2>", *_report(each, "h3")]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # so no text of a query or a passage can become a script, or load anything
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _report(report: Report, heading: str) -> Iterator[str]:
    numbers = {name: number for number, name in enumerate(report.stages)}
    yield _facts(report)
    yield from (f'<p class="note">{_shown(each)}</p>' for each in report.warnings)
    yield f"<{heading}>Stages</{heading}>"
    yield _table(*texts.table(report), numbers)
    if any(found and found.certain for found in map(report.difference, report.stages)):
        yield '<p class="faint">* The interval of 95 % of the difference does not hold 0.</p>'
    yield from (f"<p>{_shown(each)}</p>" for each in texts.notes(report))
    yield f"<{heading}>Quality and time</{heading}>"
    yield f'<div class="plots">{"".join(_plots(_in_plots(report), numbers))}</div>'
    yield from _queries(report, heading)


def _facts(report: Report) -> str:
    pooling = {"pooling": str(report.pooling)} if report.tokens != "none" else {}
    facts = {
        "data": report.dataset,
        "queries": f"{report.queries:,}",
        "documents": f"{report.documents:,}",
        "passages": f"{report.passages:,}",
        "candidates": f"{report.candidates:,}",
        "chunking": report.chunking,
        "tokens": report.tokens,
        **pooling,
        "words": report.lexical,
        "kernel": report.kernel,
        "scoring": report.scoring,
        "bytes a passage": f"{report.bytes_per_passage:,}",
    }
    listed = "".join(f"<div><dt>{name}</dt><dd>{_shown(value)}</dd></div>" for name, value in facts.items())
    return f'<dl><div class="wide"><dt>model</dt><dd>{_shown(report.model)}</dd></div>{listed}</dl>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Mapping[str, int] | None = None) -> str:
    """Return a table; with `numbers` a row begins with the mark of the series that it names."""
    head = "".join(f'<th scope="col">{_shown(each)}</th>' for each in columns)
    body = []
    for first, *rest in rows:
        mark = plots.key(numbers[first]) if numbers and first in numbers else ""
        cells = "".join(f"<td>{_shown(each)}</td>" for each in rest)
        body.append(f"<tr><td>{mark}{_shown(first)}</td>{cells}</tr>")
    # a table that is wider than a phone is moved by keys too, if it can have the focus
    return (
        f'<div class="scroll" role="region" aria-label="Results by {_shown(columns[0])}" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _in_plots(report: Report) -> Report:
    """Return the report without a stage whose quality means nothing, beside which all others would look the same."""
    if report.crossed is None or report.crossed.trained:
        return report
    return replace(report, stages={name: each for name, each in report.stages.items() if name != CROSS_ENCODER})


def _plots(report: Report, numbers: Mapping[str, int]) -> Iterator[str]:
    yield _figure(
        "nDCG@10 by stage",
        "The line is the interval of 95 % of the mean. Intervals overlap more than those of differences, in the table"
        " above, because some queries are hard for all stages.",
        plots.intervals(
            Words("nDCG@10 by stage", _best(report), "nDCG@10"),
            [Interval(name, numbers[name], each.ndcg, *each.interval) for name, each in report.stages.items()],
        ),
    )
    if report.curves is None:
        return
    yield _recall(report.curves, numbers)
    yield _cost(report, report.curves, numbers)


def _best(report: Report) -> str:
    best = max(report.stages, key=lambda name: report.stages[name].ndcg)
    return f"The best of {len(report.stages)} stages is {best}, with {report.stages[best].ndcg:.4f}."


def _recall(curves: Curves, numbers: Mapping[str, int]) -> str:
    # a recall looks like the stage of its name, and those without one like no stage
    others = [name for name in curves.recall if name not in numbers]
    numbers = {**numbers, **{name: number for number, name in enumerate(others, len(numbers))}}
    series = [
        Series(name, numbers[name], [Point(count, share) for count, share in shares.items()])
        for name, shares in curves.recall.items()
    ]
    counts = list(next(iter(curves.recall.values())))
    last = ", ".join(f"{name} {shares[counts[-1]]:.3f}" for name, shares in curves.recall.items())
    plot = plots.lines(
        Words("Recall by the number of candidates", f"With {counts[-1]} candidates: {last}.", "candidates", "recall"),
        series,
        said=lambda each, point: f"{each.name}, {point.x} candidates: {point.y:.4f}",
    )
    rows = [(name, *(f"{share:.4f}" for share in shares.values())) for name, shares in curves.recall.items()]
    numbered = _table(("recall", *map(str, counts)), rows, numbers)
    together = " Together: what any of them finds, which the fusion ranks." if len(rows) > 1 else ""
    return _figure(
        "Recall by the number of candidates",
        f"The share of the relevant documents among the passages that are recalled.{together}",
        plot,
        numbered,
    )


def _cost(report: Report, curves: Curves, numbers: Mapping[str, int]) -> str:
    costs = {name: curves.cost.get(name) or {0: Cost(each.ndcg, each.p50_ms)} for name, each in report.stages.items()}
    series = [
        Series(
            name,
            numbers[name],
            [Point(each.ms, each.ndcg, str(count) if len(found) > 1 else "") for count, each in found.items()],
        )
        for name, found in costs.items()
    ]
    plot = plots.lines(
        Words("nDCG@10 by the time of a query", _best(report), "milliseconds a query", "nDCG@10"),
        series,
        said=lambda each, point: f"{each.name} {point.text}: {point.y:.4f} in {point.x:.1f} ms",
    )
    rows = [
        (name, str(count or ""), f"{each.ndcg:.4f}", f"{each.ms:.1f}")
        for name, found in costs.items()
        for count, each in found.items()
    ]
    return _figure(
        "nDCG@10 by the time of a query",
        "Numbers at points are candidates. Medians, without the encoding of the query. Stages with candidates are"
        " measured in turns, apart from the table above. A search whose candidates are passages of fewer than ten"
        " documents looks for more, which takes longer.",
        plot,
        _table(("stage", "candidates", "nDCG@10", "p50 ms"), rows, numbers),
    )


def _figure(title: str, text: str, plot: str, table: str = "") -> str:
    numbers = f"<details><summary>The numbers</summary>{table}</details>" if table else ""
    return f"<figure><figcaption>{title}<span>{text}</span></figcaption>{plot}{numbers}</figure>"


def _queries(report: Report, heading: str) -> Iterator[str]:
    """Yield the queries that a person wants to read: those that differ most from the best single stage."""
    single = report.best_single
    stage = max(
        (name for name in report.stages if name != single), key=lambda name: report.stages[name].ndcg, default=None
    )
    if single is None or stage is None:
        return
    own, others = report.stages[stage].queries, report.stages[single].queries
    gains = sorted(own, key=lambda asked: own[asked].ndcg - others[asked].ndcg)
    worse = [asked for asked in gains if own[asked].ndcg < others[asked].ndcg]
    better = [asked for asked in reversed(gains) if own[asked].ndcg > others[asked].ndcg]
    for how, asked in (("worse", worse), ("better", better)):
        title = f"{stage} is {how} than {single}: {len(asked)} of {len(own)} queries"
        yield f"<{heading}>{_shown(title)}</{heading}>"
        if asked:
            yield f"<ol>{''.join(_query(report, each, stage, single) for each in asked[:MOST_QUERIES])}</ol>"


def _query(report: Report, asked: str, stage: str, single: str) -> str:
    judged = report.judged.judgements()[asked]
    found = {name: report.stages[name].queries[asked] for name in (stage, single)}
    scores = ", ".join(f"{each.ndcg:.3f} by {name}" for name, each in found.items())
    keys = {None if each.first is None else str(each.first.key) for each in found.values()}
    firsts = (
        [_first("both", found[stage].first, judged)]
        if len(keys) == 1
        else [_first(name, each.first, judged) for name, each in found.items()]
    )
    return (
        f'<li><p class="ask" dir="auto">{_shown(report.judged.queries[asked])}</p>'
        f'<p class="faint">query {_shown(asked)}: nDCG@10 {_shown(scores)}</p>{"".join(firsts)}</li>'
    )


def _first(stage: str, hit: Hit | None, judged: Judgements) -> str:
    if hit is None:
        return f"<p>{_shown(stage)} finds nothing</p>"
    relevant = "relevant" if judged.get(str(hit.key), 0) > 0 else "not judged relevant"
    return (
        f'<p><span class="faint">First by {_shown(stage)}: {_shown(shown_key(hit.key))}, {relevant}.</span>'
        f' <span dir="auto">{_shown(_cut(one_line(hit.content)))}</span></p>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def _shown(text: str) -> str:
    return escape(one_line(text))
