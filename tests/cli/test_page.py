"""The HTML page of an evaluation: whole, safe, and with texts that do not cover each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgencoder import Database
from pgencoder.evaluation import curves, evaluating, plots
from pgencoder.evaluation.evaluating import Plan
from pgencoder.evaluation.judging import Judged
from pgencoder.evaluation.page import page
from pgencoder.evaluation.plots import Interval, Point, Series, Words
from pgencoder.evaluation.reports import Crossed, Report
from pgencoder.types import STAGES
from tests.commands import Run, ok
from tests.connections import Connection
from tests.encoder import WordEncoder

EVIL = "<script>alert('red')</script> & \"green\"\x1b[31m"
COLOURS = ["red", "green", "blue", "white", "black", "grey", "pink"]
WORDS = Words("A <plot>", "It says & shows.", "milliseconds a query", "nDCG@10")
Element = Any


def svg(text: str) -> Element:
    return ElementTree.fromstring(text)


def boxes(plot: Element) -> Iterator[tuple[str, float, float, float, float]]:
    """The texts of a plot with their places, by the mean width of a letter in a font of 12 pixels."""
    for text in plot.iter("text"):
        x, y, width = float(text.get("x")), float(text.get("y")), 7.2 * len(text.text)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[text.get("text-anchor")]
        yield text.text, left, y - 9, left + width, y + 2


def check(plot: Element) -> None:
    """Everything of the plot is inside it, and no text covers another."""
    _, _, width, height = map(float, plot.get("viewBox").split())
    found = list(boxes(plot))
    for text, left, top, right, bottom in found:
        assert left >= -1, text
        assert right <= width + 1, text
        assert top >= 0, text
        assert bottom <= height, text
    for (text, left, top, right, bottom), (other, *rest) in combinations(found, 2):
        assert left >= rest[2] or rest[0] >= right or top >= rest[3] or rest[1] >= bottom, (text, other)
    for mark in plot.iter("path"):
        place = re.match(r"translate\((\S+) (\S+)\)", mark.get("transform", ""))
        if place is not None:
            assert 0 <= float(place[1]) <= width
            assert 0 <= float(place[2]) <= height
    assert plot.get("role") == "img"
    named = plot.get("aria-labelledby").split()
    assert [each.get("id") for each in plot if each.tag in ("title", "desc")] == named


numbers = st.floats(0.001, 1)
points = st.lists(
    st.builds(Point, st.floats(0.05, 20_000), numbers, st.sampled_from(["", "10", "50", "100", "200"])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(points, min_size=1, max_size=9))
def test_no_text_of_a_plot_covers_another(drawn: list[list[Point]]) -> None:
    names = [*STAGES, "tuned", "cross-encoder", "sparse"]
    series = [Series(names[number], number, each) for number, each in enumerate(drawn)]
    plot = svg(plots.lines(WORDS, series, said=lambda each, point: f"{each.name} <{point.text}>"))
    check(plot)
    assert [text.text for text in plot.iter("text")][-len(series) :] == names[: len(series)]
    assert len(list(plot.iter("title"))) == 1 + sum(map(len, drawn))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=9))
def test_no_text_of_intervals_covers_another(drawn: list[tuple[float, float, float]]) -> None:
    rows = [Interval("cross-encoder"[number:], number, *np.sort(each)[[1, 0, 2]]) for number, each in enumerate(drawn)]
    plot = svg(plots.intervals(WORDS, rows))
    check(plot)
    assert {f"{row.value:.3f}" for row in rows} <= {text.text for text in plot.iter("text")}


def test_series_differ_by_more_than_their_colours() -> None:
    def look(number: int) -> tuple[Any, ...]:
        group = svg(plots.key(number))[0]
        return group.get("class").endswith("hollow"), group.get("stroke-dasharray"), group[1].get("d")

    assert len({look(number) for number in range(12)}) == 12


@pytest.fixture
def report(connection: Connection, db: Database, words: WordEncoder) -> Report:
    connection.execute("CREATE TABLE notes (id text PRIMARY KEY, body text)")
    bodies = [f"{one} {two} {EVIL}" for one in COLOURS for two in COLOURS]
    connection.cursor().executemany(
        "INSERT INTO notes VALUES (%s, %s)", [(f"<b>{number}", body) for number, body in enumerate(bodies)]
    )
    db.attach("notes", ["body"], words, lexical="simple")
    db.sync("notes")
    queries = {str(number): f"{one} {EVIL.replace(chr(27), '')}" for number, one in enumerate(COLOURS)}
    qrels = [(str(number), f"<b>{8 * number}", 1) for number in range(len(COLOURS))]
    judged = Judged("notes & <i>", queries, qrels, warnings=("<u>careful",))
    return evaluating.evaluate(db, "notes", judged, Plan(curves=True, candidates=30))


def test_the_page_is_whole_and_safe(report: Report) -> None:
    text = page([report])
    assert "<script" not in text
    assert "<b>" not in text
    assert "<u>" not in text
    assert "<i>" not in text
    assert "\x1b" not in text
    # nothing is loaded: no address, no import, no handler
    assert not re.search(r"https?://|@import|url\(|<link|<img|<iframe|\son\w+=", text)
    assert "&lt;script&gt;alert" in text
    assert "<title>Retrieval on notes &amp; &lt;i&gt;</title>" in text
    assert "prefers-color-scheme:dark" in text
    assert 'name="viewport"' in text
    for fact in ("model", "tokens", "pooling", "chunking", "kernel", "candidates", "words", "queries"):
        assert f"<dt>{fact}</dt>" in text
    for stage, result in report.stages.items():
        assert f"{stage}</td><td>{result.ndcg:.4f}</td>" in text
    drawn = re.findall(r'<svg class="plot".*?</svg>', text, re.S)
    assert len(drawn) == 3
    for each in drawn:
        check(svg(each))
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert text.count("is worse than") == text.count("is better than") == 1


def test_the_page_has_the_queries_that_differ_most(report: Report) -> None:
    single = report.best_single
    assert single is not None
    stage = max((each for each in report.stages if each != single), key=lambda each: report.stages[each].ndcg)
    text = page([report])
    own, others = report.stages[stage].queries, report.stages[single].queries
    better = [asked for asked in own if own[asked].ndcg > others[asked].ndcg]
    worse = [asked for asked in own if own[asked].ndcg < others[asked].ndcg]
    assert f"{stage} is better than {single}: {len(better)} of 7 queries" in text
    assert f"{stage} is worse than {single}: {len(worse)} of 7 queries" in text
    shown = re.findall(r"query (\d+): nDCG@10", text)
    assert sorted(shown) == sorted([*better, *worse])


def test_curves_have_what_more_candidates_give(report: Report) -> None:
    found = report.curves
    assert found is not None
    assert list(found.recall) == ["dense", "lexical", "together"]
    for shares in found.recall.values():
        assert list(shares) == list(curves.COUNTS)
        assert list(shares.values()) == sorted(shares.values())
        assert shares[50] == 1  # of 49 passages
    assert all(
        found.recall["together"][count] >= max(found.recall["dense"][count], found.recall["lexical"][count])
        for count in curves.COUNTS
    )
    assert list(found.cost) == ["dense", "lexical", "maxsim", "fused", "rrf"]
    assert list(found.cost["maxsim"]) == [10, 20, 30, 50, 100, 200]
    assert list(found.cost["dense"]) == [30]
    assert found.cost["fused"][30].ndcg == pytest.approx(report.stages["fused"].ndcg)
    json.dumps(report.as_json())


def test_plots_leave_out_what_is_random(report: Report) -> None:
    crossed = Crossed("m", True, "fused", 10.0, 900.0, 2.0)
    with_it = replace(report, stages={**report.stages, "cross-encoder": report.stages["dense"]}, crossed=crossed)
    plot = '<svg class="plot".*?</svg>'
    assert "cross-encoder" in "".join(re.findall(plot, page([with_it]), re.S))
    text = page([replace(with_it, crossed=replace(crossed, trained=False))])
    assert "cross-encoder" not in "".join(re.findall(plot, text, re.S))
    assert "no trained head" in text
    assert "cross-encoder</td>" in text


def test_recalls_look_different_without_their_stages(report: Report) -> None:
    text = page([replace(report, stages={name: report.stages[name] for name in ("dense", "fused")})])
    recall = svg(re.findall(r'<svg class="plot".*?</svg>', text, re.S)[1])
    looks = [(group.get("class"), group.get("stroke-dasharray")) for group in recall.iter("g")]
    assert len(looks) == 6  # three lines, and their marks in the legend
    assert len(set(looks)) == 3


def test_a_page_of_several_evaluations(report: Report) -> None:
    text = page([report, report])
    assert "Mean of 2 data sets" in text
    assert text.count('<svg class="plot"') == 6
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_command_writes_it(dataset: Path, command: Run, tmp_path: Path) -> None:
    written = tmp_path / "report.html"
    ok(command("eval", str(dataset), "--stages", "dense", "--report", str(written)))
    text = written.read_text()
    assert text.count('<svg class="plot"') == 3
    assert "is worse than" not in text  # there is nothing to compare with
