"""Why a hit matched: the pairs add up to its score, name the right words, and look right everywhere."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

import pgencoder
from pgencoder import Database, DenseEncoder, Encoding, Explanation, Hit, Match, WordMatch, load_encoder
from pgencoder.cli import main, output, status
from pgencoder.errors import InvalidRequest, NotEncoded, Outdated
from pgencoder.results import FailedRow
from pgencoder.types import KernelName, Stage, TokenType
from tests.connections import Connection
from tests.encoder import WordEncoder

TEXT = "A vector's rows don't index 1,000.5 pages;"
EVIL = "<script>alert('1')</script> & \"lag\" \x1b[31m of the replica"


@pytest.fixture
def filled(connection: Connection, db: Database, words: WordEncoder) -> Callable[..., Database]:
    """Make the table `notes` and attach it, each row with one text."""

    def fill(*texts: str, tokens: TokenType | None = "bit", encoder: Any = words, **options: Any) -> Database:
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY, title text, body text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO notes VALUES (%s, NULL, %s)", list(enumerate(texts, 1)))
        db.attach("notes", ["title", "body"], encoder, tokens=tokens, **{"lexical": "none"} | options)
        db.sync("notes")
        return db

    return fill


def check(explanation: Explanation, hit: Hit) -> None:
    """Assert what holds of every explanation of a hit of a search by MaxSim."""
    assert (explanation.key, explanation.passage, explanation.span) == (hit.key, hit.passage, hit.span)
    assert explanation.content == hit.content
    assert explanation.score == pytest.approx(hit.score, abs=1e-4)
    groups = [*explanation.words, *([explanation.special] if explanation.special else [])]
    assert sum(group.score for group in groups) == pytest.approx(explanation.score)
    matches = [match for group in groups for match in group.matches]
    assert sum(match.similarity for match in matches) == pytest.approx(explanation.score)
    assert sorted(match.query_token for match in matches) == list(range(1, len(matches) + 1))
    for word in explanation.words:
        assert word.span is None or explanation.query[slice(*word.span)] == word.word
        assert word.best in word.matches
        for match in word.matches:
            if match.span is not None:
                assert explanation.content[slice(*match.span)] == match.word
                assert match.row_span == tuple(hit.span[0] + place for place in match.span)


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
@pytest.mark.parametrize("stage", ["maxsim", "exhaustive"])
def test_the_parts_add_up_to_the_score(
    filled: Callable[..., Database], words: WordEncoder, kernel: KernelName, tokens: TokenType, stage: Stage
) -> None:
    db = filled("red green blue", "Green green grass of home", "yellow", tokens=tokens)
    for group in ("passage", "document"):
        hits = db.search("notes", "the GREEN grass", stage=stage, group=group)
        assert len(hits) == 3
        for hit in hits:
            check(hit.explain(), hit)
    best = hits[0].explain()
    assert best == db.explain("notes", "the GREEN grass", 2, encoder=words)
    assert [word.word for word in best.words] == ["the", "GREEN", "grass"]
    green = best.words[1]
    assert (green.span, green.best.word, green.best.span) == ((4, 9), "Green", (0, 5))
    # ties go to the first; the same word is the same vector
    exact = 1.0 if tokens == "halfvec" or kernel == "sql" else 0.75
    assert green.score == pytest.approx(exact, abs=0.1)
    assert best.words[2].best.row_span == (12, 17)


def test_a_hit_of_the_dense_stage_is_explained_by_maxsim(filled: Callable[..., Database]) -> None:
    (hit,) = filled("red green").search("notes", "green", stage="dense")
    check(hit.explain(), replace(hit, score=hit.explain().score))
    assert hit.explain().words[0].best.word == "green"


@pytest.mark.parametrize("name", ["minilm", "bert", "roberta"])
def test_a_text_matches_itself_word_by_word(
    filled: Callable[..., Database], checkpoint: Callable[[str], str], minilm: pgencoder.Encoder, name: str
) -> None:
    """Where query and document are encoded alike, each token's best match is itself: a shift would show."""
    encoder = minilm if name == "minilm" else load_encoder(checkpoint("sbert"), checkpoint(name))
    (hit,) = filled(TEXT, tokens="halfvec", encoder=encoder).search("notes", TEXT, encoder=encoder)
    explanation = hit.explain()
    check(explanation, hit)
    for word in explanation.words:
        assert {match.span for match in word.matches} == {word.span}, word
        assert word.score == pytest.approx(len(word.matches), abs=0.01)
    named = [word.word for word in explanation.words]
    assert named == ["A", "vector's", "rows", "don't", "index", "1,000.5", "pages", ";"]


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_the_real_model(
    filled: Callable[..., Database], minilm: pgencoder.Encoder, kernel: KernelName, tokens: TokenType
) -> None:
    db = filled("How far a replica is behind the primary.", "Boil pasta in water. " * 60, tokens=tokens, encoder=minilm)
    for hit in db.search("notes", "replication delays of noodles", encoder=minilm):
        check(hit.explain(), hit)
    first, *_ = db.search("notes", "the replicas lag", k=1, encoder=minilm)
    replicas = first.explain().words[1]
    assert (replicas.word, replicas.span) == ("replicas", (4, 12))
    assert "replica" in {match.word for match in replicas.matches}
    # a later passage of a long row knows where it is in the row
    last = next(hit for hit in db.search("notes", "pasta", encoder=minilm) if hit.passage > 0)
    match = last.explain().words[0].best
    assert match.word == "pasta"
    assert match.row_span is not None
    assert match.row_span[0] > last.span[0] > 500


def test_special_tokens_are_apart(filled: Callable[..., Database], checkpoint: Callable[[str], str]) -> None:
    encoder = load_encoder(checkpoint("sbert"), checkpoint("stanford"))
    (hit,) = filled("rows in pages; an index.", tokens="halfvec", encoder=encoder).search(
        "notes", "an index", encoder=encoder
    )
    explanation = hit.explain()
    check(explanation, hit)
    assert [word.word for word in explanation.words] == ["an", "index"]
    assert explanation.special is not None
    assert explanation.special.word == "[unused0], [MASK] ×9"
    assert explanation.special.span is None
    assert len(explanation.special.matches) == 10
    # skipped punctuation is matched by nothing, but special tokens of the passage are, by name
    found = {match.word: match.span for word in (*explanation.words, explanation.special) for match in word.matches}
    assert set(found) <= {"[CLS]", "[unused1]", "rows", "in", "pages", "an", "index", "[SEP]"}
    assert all((span is None) == (word[0] == "[") for word, span in found.items())


class Nameless(WordEncoder):
    """An encoder that does not say what its tokens stand for."""

    pieces = None  # type: ignore[assignment]


def test_without_pieces_tokens_have_numbers(filled: Callable[..., Database]) -> None:
    db = filled("red green blue", encoder=Nameless())
    (hit,) = db.search("notes", "blue red", encoder=Nameless())
    explanation = hit.explain()
    check(explanation, hit)
    assert explanation.special is None
    assert [(word.word, word.span, word.best.word, word.best.span) for word in explanation.words] == [
        ("token 1", None, "token 3", None),
        ("token 2", None, "token 1", None),
    ]
    assert explanation.words[0].best.document_token == 3
    assert "token 3" in explanation._repr_html_()


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_a_row_that_is_cut_in_a_word(
    filled: Callable[..., Database], checkpoint: Callable[[str], str], connection: Connection, name: str
) -> None:
    encoder: Any = load_encoder(checkpoint(name), allow_untrained=True)
    text = "a " * (encoder.windows[0].capacity - 3) + "日本語 postgresql of it"
    db = filled(text, tokens="halfvec", chunking="truncate", encoder=encoder)
    (hit,) = db.search("notes", "a", encoder=encoder)
    assert hit.content == text[: len(hit.content)]
    assert hit.content[-2:] in (" 日", "日本", "本語")
    last = hit.content.split()[-1]
    explanation = db.explain("notes", last, 1, encoder=encoder)
    assert {match.word for word in explanation.words for match in word.matches} <= {*"a日本語", "[CLS]", "<s>"}
    # and the row may have changed since it was encoded: then the passage is what is known
    connection.execute("UPDATE notes SET body = 'b ' || body")
    assert db.explain("notes", last, 1, encoder=encoder) == explanation


def test_two_models_that_read_unequally_far(filled: Callable[..., Database], checkpoint: Callable[[str], str]) -> None:
    """The passage ends where the first model's reading does; what only the token model read has no span in it."""
    encoder: Any = load_encoder(checkpoint("sbert"), checkpoint("bert"))
    encoder.windows = (replace(encoder.windows[0], capacity=4), encoder.windows[1])
    text = "a text of numbers in rows and pages"
    db = filled(text, tokens="halfvec", chunking="truncate", encoder=encoder)
    (hit,) = db.search("notes", text, encoder=encoder)
    assert hit.content == "a text of numbers"
    explanation = hit.explain()
    check(explanation, hit)
    pages = explanation.words[-1]
    assert (pages.best.word, pages.best.span, pages.best.row_span) == ("pages", None, (30, 35))
    assert explanation.words[1].best.span == (2, 6)
    assert "pages" in explanation._repr_html_()


class Bare(WordEncoder):
    """An encoder whose documents have no tokens."""

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        return [replace(each, tokens=each.tokens[:0]) for each in super().encode_documents(texts)]


def test_a_passage_without_tokens(filled: Callable[..., Database]) -> None:
    (hit,) = filled("red", encoder=Bare()).search("notes", "red", encoder=Bare())
    explanation = hit.explain()
    assert (explanation.score, explanation.words) == (0.0, ())
    assert "red" in explanation._repr_html_()
    assert "MaxSim" in shown(explanation)


def test_what_cannot_be_explained(filled: Callable[..., Database], connection: Connection, words: WordEncoder) -> None:
    db = filled("red green", "blue")
    (hit, other) = db.search("notes", "green")
    for key, passage, message, error in (
        (3, 0, "no passage 0 of key 3", NotEncoded),
        (1, 7, "no passage 7 of key 1", NotEncoded),
        ((1, 2), 0, "a value for each of id, got 1, 2", InvalidRequest),
        ("x", 0, "cannot look for key 'x': invalid input syntax for type integer", InvalidRequest),
        (10**30, 0, "cannot look for key", InvalidRequest),
        (1.5, 0, "cannot look for key 1.5: id is integer, got 1.5", InvalidRequest),
        (Decimal("0.5"), 0, "cannot look for key 0.5: id is integer", InvalidRequest),
        (float("nan"), 0, "cannot look for key nan: id is integer", InvalidRequest),
        ({"id": 1}, 0, "cannot look for key {'id': 1}: cannot adapt type 'dict'", InvalidRequest),
    ):
        with pytest.raises(error, match=re.escape(message)) as raised:
            db.explain("notes", "green", key, passage, encoder=words)
        assert "\n" not in str(raised.value)
    connection.execute("UPDATE notes SET body = 'red and green' WHERE id = 1; DELETE FROM notes WHERE id = 2")
    # the row has changed, but its passage not yet
    check(hit.explain(), hit)
    with pytest.raises(NotEncoded, match="the row is gone"):
        other.explain()
    db.sync("notes", encoder=words)
    with pytest.raises(Outdated, match="passage 0 of key 1 has changed since the search; search again"):
        hit.explain()
    (hit,) = db.search("notes", "green")
    db.detach("notes")
    with pytest.raises(Outdated, match="dropped since the search"):
        hit.explain()


def test_a_collection_without_tokens(filled: Callable[..., Database]) -> None:
    encoder = DenseEncoder(lambda texts: [[len(text), 1.0] for text in texts], name="lengths")
    (hit,) = filled("red", encoder=encoder, tokens=None).search("notes", "red", encoder=encoder)
    with pytest.raises(InvalidRequest, match="'notes' has no tokens and no words"):
        hit.explain()


def test_an_event_loop_explains(filled: Callable[..., Database], words: WordEncoder) -> None:
    db = filled("red green")

    async def main() -> tuple[Hit, Explanation]:
        (hit,) = await db.asearch("notes", "green")
        return hit, await db.aexplain("notes", "green", hit.key, encoder=words)

    hit, explanation = asyncio.run(main())
    check(explanation, hit)


def test_a_generation_that_searches_used_then(filled: Callable[..., Database], words: WordEncoder) -> None:
    db = filled("red green", "blue")
    hit = db.search("notes", "green")[0]
    db.reencode("notes", WordEncoder(name="other"), tokens="halfvec")
    db.sync("notes")
    db.activate("notes")
    check(hit.explain(), hit)
    db.drop("notes", 1)
    with pytest.raises(Outdated, match="dropped since the search"):
        hit.explain()


def test_composite_keys_and_names_that_need_quotes(db: Database, connection: Connection, words: WordEncoder) -> None:
    connection.execute('CREATE TABLE "100% it\'s" ("a ""b" text, day date, "text" text, PRIMARY KEY ("a ""b", day))')
    connection.execute("""INSERT INTO "100% it's" VALUES ('x''y', '2026-01-02', 'red green')""")
    db.attach("100% it's", ["text", "day"], words, name="odd", chunking="truncate", lexical="none")
    db.sync("odd")
    (hit,) = db.search("odd", "green")
    explanation = hit.explain()
    check(explanation, hit)
    assert explanation.words[0].best.span == (4, 9)
    assert json.loads(json.dumps(explanation.to_dict()))["key"] == ["x'y", "2026-01-02"]
    assert explanation == db.explain("odd", "green", hit.key, encoder=words)


def test_row_level_security_holds(
    filled: Callable[..., Database], connection: Connection, url: str, words: WordEncoder
) -> None:
    filled("red green", "green blue", chunking="truncate", lexical="none")
    connection.execute(
        "DROP ROLE IF EXISTS explain_reader; CREATE ROLE explain_reader LOGIN;"
        "GRANT USAGE ON SCHEMA pgencoder TO explain_reader;"
        "GRANT EXECUTE ON FUNCTION pgencoder.notes_active() TO explain_reader;"
        "GRANT SELECT ON notes, pgencoder.notes_1, pgencoder.collection, pgencoder.collection_key,"
        " pgencoder.representation, pgencoder.generation, pgencoder.revision TO explain_reader;"
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON notes USING (id = 1)"
    )
    reader = pgencoder.connect(str(sa.make_url(url).set(username="explain_reader")))
    try:
        (hit,) = reader.search("notes", "green", encoder=words)
        check(hit.explain(), hit)
        with pytest.raises(NotEncoded, match="no passage 0 of key 2"):
            reader.explain("notes", "green", 2, encoder=words)
    finally:
        reader.close()
        connection.execute("DROP OWNED BY explain_reader; DROP ROLE explain_reader")


def test_a_hit_is_still_a_plain_value(filled: Callable[..., Database]) -> None:
    (hit,) = filled("red").search("notes", "red")
    names = ["key", "score", "passage", "span", "content", "recall_rank", "dense_score", "relevance", "parts"]
    assert [field.name for field in fields(hit)] == names
    assert list(asdict(hit)) == names
    for copy in (Hit(**asdict(hit)), pickle.loads(pickle.dumps(hit)), deepcopy(hit), replace(hit, score=1.0)):
        assert copy == hit or copy.score == 1.0
        with pytest.raises(InvalidRequest, match=r"db\.explain"):
            copy.explain()
    assert repr(hit) == repr(deepcopy(hit))
    assert hit.explain().words


class Page(HTMLParser):
    """What a browser would make of HTML: tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.titles: list[str] = []
        self.text = ""
        self.marked: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.titles += [value for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_safe_and_says_everything(filled: Callable[..., Database]) -> None:
    query = 'the <b onclick="x">lag</b> of replica'
    (hit,) = filled(EVIL).search("notes", query)
    html = hit.explain()._repr_html_()
    page = Page(html)
    assert set(page.tags) <= {"div", "b", "span", "mark", "sup", "table", "tr", "th", "td", "bdi"}
    assert page.attributes <= {"style", "title", "dir"}
    assert page.tags.count("b") == 3  # the query and the total, none of the content's
    assert "http" not in html
    assert query in page.text
    for number, word in enumerate(hit.explain().words, 1):
        assert word.word in page.text
        assert any(f"{word.word} {word.best.similarity:.2f}" in title for title in page.titles)
        assert f">{number}<" in html
    passage = Page(re.sub(r"<sup.*?</sup>", "", html)).text
    assert EVIL in passage


def shown(explanation: Explanation, **options: Any) -> str:
    console = Console(file=StringIO(), width=100, **options)
    console.print(explanation)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_it_with_and_without_colours(filled: Callable[..., Database]) -> None:
    explanation = filled(EVIL).search("notes", "the replica")[0].explain()
    coloured = shown(explanation, force_terminal=True, color_system="standard")
    assert "\x1b[30;103mthe\x1b[0m\x1b[1m¹\x1b[0m" in coloured
    assert "[the]" not in coloured
    plain = shown(explanation, force_terminal=False)
    # nor does an escape of the content reach it
    assert "\x1b" not in plain
    assert "[the]¹ [replica]²" in plain
    assert "<script>alert('1')</script>" in plain
    assert re.search(r"2  replica  [\d.]+ +▇+ +replica [\d.]+", plain)
    assert f"MaxSim   {explanation.score:.2f}" in plain
    assert "\x1b" not in shown(made_up("a", WordMatch("\x1b[31m", (0, 5), 0.0, ())), force_terminal=False)
    assert "\x1b" not in shown(made_up("a", special=WordMatch("\x1b[31m", None, 0.0, ())), force_terminal=False)
    assert "[the]" in shown(explanation, force_terminal=True, color_system="standard", no_color=True)


CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_nothing_of_a_row_controls_the_terminal(
    connection: Connection, db: Database, words: WordEncoder, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "e\x1b[31mv\x9b31m\u202ei\u2066l\x07\nend"
    connection.execute("CREATE TABLE notes (id text PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", [(evil, evil), ("2", evil)])
    db.attach("notes", ["body"], words, name="e\x1b[31mvil")
    db.sync("e\x1b[31mvil")
    hits = db.search("e\x1b[31mvil", evil, k=2)
    output.hits(hits)
    output.hits(hits, [hit.explain() for hit in hits])
    output.pairs(db.similar_pairs("e\x1b[31mvil"))
    failed = FailedRow("notes", 1, {"id": evil}, f"ValueError: {evil}", 5, None, datetime.now(UTC))
    status.show(db.status(), db.workers(), {"e\x1b[31mvil": [failed]}, datetime.now(UTC))
    shown = capsys.readouterr().out
    assert CONTROLS.findall(shown) == []
    assert shown.count("MaxSim") == 3
    assert "1.0000  2  e [31mv 31m i l end" in shown
    assert "failed      id e [31mv" in shown


def made_up(content: str, *words: WordMatch, special: WordMatch | None = None) -> Explanation:
    score = sum(word.score for word in words)
    return Explanation("query", 1, 0, content, (0, len(content)), score, words, special)


def matched(content: str, word: str, similarity: float, start: int = 0) -> Match:
    start = content.index(word, start)
    span = start, start + len(word)
    return Match(1, 1, similarity, word, span, span)


def test_of_a_long_passage_the_terminal_shows_what_matched() -> None:
    content = "start " + "before " * 200 + "lag of a replica " + "after " * 200 + "end"
    lag, replica = (matched(content, word, 0.5) for word in ("lag", "replica"))
    explanation = made_up(content, WordMatch("delay", (0, 5), 1.0, (lag, replica)))
    text = " ".join(shown(explanation, force_terminal=False).split())
    assert text.startswith("… before before")
    assert "before [lag]¹ of a [replica]¹ after" in text
    assert "after after … query" in text
    assert len(text) < 400
    assert "lag 0.50, replica 0.50" in text
    # a notebook has more room, but not for everything
    assert len(made_up("x " * 5000)._repr_html_()) < 5000
    assert shown(made_up("nothing matched"), force_terminal=False).startswith("nothing matched")


def test_words_that_match_often_are_counted_and_the_weakest_left_out() -> None:
    content = "one two three four five"
    found = [matched(content, word, 0.5 - i / 10) for i, word in enumerate(content.split())]
    special = WordMatch("[MASK] ×6", None, 1.8, (*found, found[0]))
    explanation = made_up(content, WordMatch("x", (0, 1), -0.2, (replace(found[0], similarity=-0.2),)), special=special)
    text = shown(explanation, force_terminal=False)
    assert "one 0.50 ×2, two 0.40, three 0.30, four 0.20, and 1 more" in text
    assert "one -0.20" in text
    html = explanation._repr_html_()
    assert "[MASK] ×6" in html
    assert "and 1 more" in html
    assert html.count("<mark") == 1  # what the special tokens matched is not marked


def test_the_command_line(
    filled: Callable[..., Database],
    minilm: pgencoder.Encoder,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    db = filled("A replica follows with some lag.", "Boil it in water.", encoder=minilm)
    monkeypatch.setattr(pgencoder, "connect", lambda _: db)  # which the fixture closes

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["pgencoder", *arguments, "--database", url])
        with pytest.raises(SystemExit) as exit:
            main()
        assert exit.value.code == 0
        return capsys.readouterr().out

    text = run("search", "notes", "replication lag", "-k", "2", "--explain")
    assert "[replica]¹" in text
    assert "[lag]²" in text
    assert text.count("MaxSim") == 2
    found = json.loads(run("search", "notes", "replication lag", "-k", "1", "--explain", "--json"))[0]
    assert found["explanation"]["score"] == pytest.approx(found["score"], abs=1e-4)
    lag = found["explanation"]["words"][1]
    assert (lag["word"], lag["matches"][0]["word"], lag["matches"][0]["span"]) == ("lag", "lag", [28, 31])
    assert "explanation" not in json.loads(run("search", "notes", "replication lag", "--json"))[0]


def test_the_same_words(filled: Callable[..., Database], words: WordEncoder) -> None:
    db = filled("The servers run, and running servers fail with ERR_42.", "nothing of it", lexical="english")
    (hit, other) = db.search("notes", "server running err_42 in numpy.linalg")
    explanation = hit.explain()
    check(explanation, replace(hit, score=hit.parts["maxsim"].score or 0.0))
    assert explanation.lexical is not None
    found = {match.word: match for match in explanation.lexical}
    assert list(found) == ["server", "running", "err_42", "err", "42"]
    assert found["server"].words == ("servers",)
    assert found["running"].words == ("run", "running")
    assert found["err_42"].words == ("ERR_42",)
    assert found["42"].words == ("42",)
    for match in explanation.lexical:
        assert explanation.query[slice(*match.span)] == match.word
        assert [explanation.content[slice(*span)] for span in match.spans]
        assert {explanation.content[slice(*span)] for span in match.spans} == set(match.words)
    parts = [match.score for match in explanation.lexical]
    assert sum(parts) == pytest.approx(hit.parts["lexical"].score)
    assert other.explain().lexical == ()
    assert json.loads(json.dumps(explanation.to_dict()))["lexical"][0]["words"] == ["servers"]
    printed, page = shown(explanation), explanation._repr_html_()
    for text in ("same word", "run, running", "BM25", "MaxSim"):
        assert text in printed
    assert "<bdi>ERR_42</bdi>" in page
    assert "no word is the same" in shown(other.explain())


@pytest.mark.parametrize(
    "text", [EVIL, "100% %s {braces} 'quoted' \"x\"", "naïve café ist größer", "e\u0301tude 日本語 テスト"]
)
def test_the_same_words_of_any_text(filled: Callable[..., Database], text: str) -> None:
    (hit,) = filled(text, tokens="none", lexical="simple").search("notes", text)
    explanation = hit.explain()
    assert explanation.words == ()
    assert explanation.lexical
    assert sum(match.score for match in explanation.lexical) == pytest.approx(hit.parts["lexical"].score)
    for match in explanation.lexical:
        assert match.words
        assert [text[slice(*span)] for span in match.spans] == [
            text[slice(*span)] for span in dict.fromkeys(match.spans)
        ]
    assert "[" in shown(explanation)  # marks of words, as there are no others
    assert "MaxSim" not in explanation._repr_html_()


def test_long_words_take_no_long_time(filled: Callable[..., Database]) -> None:
    text = "a" * 200_000 + " a_b_ ERR_42 C++"
    explanation = filled(text, tokens="none", lexical="simple").search("notes", "err_42 c++ a_b")[0].explain()
    found = {match.word: match.words for match in explanation.lexical or ()}
    assert found == {"err_42": ("ERR_42",), "err": ("ERR",), "42": ("42",), "c++": ("C++",), "c": ("C",)} | {
        "a_b": ("a_b",),
        "a": ("a",),
        "b": ("b",),
    }
    assert "ERR_42]" in shown(explanation)  # a code is marked as a whole


def test_words_that_only_the_rest_of_a_cut_row_has(filled: Callable[..., Database], minilm: pgencoder.Encoder) -> None:
    db = filled("start " + "filler text " * 300 + "zebra", encoder=minilm, chunking="truncate", lexical="english")
    (hit,) = db.search("notes", "start zebra", encoder=minilm)
    start, zebra = hit.explain().lexical or ()
    assert start.words == ("start",)
    assert (zebra.word, zebra.words, zebra.spans) == ("zebra", (), ())
    assert zebra.score > 0
