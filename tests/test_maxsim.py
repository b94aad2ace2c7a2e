"""MaxSim in the database equals MaxSim in NumPy, errors and edges included, with either kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pgencoder import vectors
from pgencoder.types import KernelName
from pgencoder.vectors import HalfvecArray

Connection = psycopg.Connection[Any]
Floats = NDArray[np.float64]


def maxsim(query: Floats, document: Floats) -> float:
    """The oracle: the sum over query tokens of the largest inner product with a document token, in float64."""
    return float((query @ document.T).max(axis=1).sum())


def signs(tokens: Floats) -> Floats:
    """1-bit tokens as vectors of length 1."""
    return np.asarray(np.where(tokens > 0, 1.0, -1.0) / np.sqrt(tokens.shape[1]))


@pytest.fixture
def server(connection: Connection, kernel: KernelName) -> Connection:
    vectors.register(connection)
    return connection


def ask(server: Connection, expression: str, *tokens: Floats) -> float | None:
    row = server.execute(f"SELECT {expression}", [HalfvecArray(each) for each in tokens]).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@st.composite
def token_pairs(draw: st.DrawFn) -> tuple[Floats, Floats]:
    dims = draw(st.sampled_from([1, 2, 7, 8, 9, 64, 65, 384]))
    query_tokens, document_tokens = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    shift = draw(st.sampled_from([-2.0, 0.0, 2.0]))

    def tokens(n: int, shift: float) -> Floats:
        made = generator.standard_normal((n, dims)) + shift
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made.astype(np.float16).astype(np.float64)

    # opposite shifts make every similarity negative
    return tokens(query_tokens, shift), tokens(document_tokens, -shift)


repeated = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@repeated
@given(token_pairs())
def test_halfvec_equals_numpy(server: Connection, pair: tuple[Floats, Floats]) -> None:
    found = ask(server, "pgencoder.maxsim(%s, %s)", *pair)
    assert found == pytest.approx(maxsim(*pair), abs=2e-4 * len(pair[0]))


@repeated
@given(token_pairs())
def test_vector_equals_numpy(server: Connection, pair: tuple[Floats, Floats]) -> None:
    found = ask(server, "pgencoder.maxsim(%s::halfvec[]::vector[], %s::halfvec[]::vector[])", *pair)
    assert found == pytest.approx(maxsim(*pair), abs=1e-5 * len(pair[0]))


@repeated
@given(token_pairs())
def test_bit_equals_numpy(server: Connection, pair: tuple[Floats, Floats]) -> None:
    found = ask(server, "pgencoder.maxsim(pgencoder.binary_quantize(%s), pgencoder.binary_quantize(%s))", *pair)
    assert found == pytest.approx(maxsim(signs(pair[0]), signs(pair[1])), abs=1e-9)


@repeated
@given(token_pairs())
def test_bits_are_packed_as_pgvector_packs_them(server: Connection, pair: tuple[Floats, Floats]) -> None:
    with server.cursor() as cursor:
        cursor.execute('CREATE TEMP TABLE IF NOT EXISTS packed (tokens "bit"[])')
        cursor.execute("TRUNCATE packed")
        with cursor.copy("COPY packed FROM STDIN (FORMAT BINARY)") as copy:
            field = vectors.bit_array(pair[0])
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1" + len(field).to_bytes(4, "big") + field + b"\xff\xff")
        row = cursor.execute(
            "SELECT tokens = pgencoder.binary_quantize(%s) FROM packed", [HalfvecArray(pair[0])]
        ).fetchone()
    assert row == (True,)


@repeated
@given(token_pairs(), st.sampled_from(["halfvec", "vector", "bit"]))
def test_pairs_add_up_to_maxsim(server: Connection, pair: tuple[Floats, Floats], kind: str) -> None:
    cast = "pgencoder.binary_quantize({})" if kind == "bit" else "{}::halfvec[]::" + kind + "[]"
    both = f"{cast.format('%(q)s')}, {cast.format('%(d)s')}"
    parameters = {"q": HalfvecArray(pair[0]), "d": HalfvecArray(pair[1])}
    rows = server.execute(f"SELECT * FROM pgencoder.maxsim_pairs({both})", parameters).fetchall()
    total = server.execute(f"SELECT pgencoder.maxsim({both})", parameters).fetchone()
    assert [row[0] for row in rows] == list(range(1, len(pair[0]) + 1))
    assert total is not None
    assert sum(row[2] for row in rows) == pytest.approx(total[0], abs=1e-6)
    query, document = (signs(each) if kind == "bit" else each for each in pair)
    for query_token, document_token, similarity in rows:
        similarities = query[query_token - 1] @ document.T
        assert similarity == pytest.approx(similarities.max(), abs=2e-4)
        assert similarities[document_token - 1] == pytest.approx(similarities.max(), abs=2e-4)


def test_one_token_each(server: Connection) -> None:
    token = np.array([[0.6, 0.8]])
    assert ask(server, "pgencoder.maxsim(%s, %s)", token, token) == pytest.approx(1.0, abs=1e-3)


def test_negative_similarities_are_not_lost(server: Connection) -> None:
    assert ask(server, "pgencoder.maxsim(%s, %s)", np.array([[1.0, 0.0]]), np.array([[-1.0, 0.0]])) == -1.0


@pytest.mark.parametrize("kind", ["halfvec", "vector", "bit"])
@pytest.mark.parametrize(
    ("query", "document"), [("some", "{}"), ("{}", "some"), ("{}", "{}"), (None, "some"), ("some", None)]
)
def test_nothing_on_a_side_gives_null(server: Connection, kind: str, query: str | None, document: str | None) -> None:
    some = "{101,110}" if kind == "bit" else '{"[1,0,1]","[1,1,0]"}'
    sides = [some if side == "some" else side for side in (query, document)]
    assert server.execute(f'SELECT pgencoder.maxsim(%s::"{kind}"[], %s::"{kind}"[])', sides).fetchone() == (None,)
    assert (
        server.execute(f'SELECT * FROM pgencoder.maxsim_pairs(%s::"{kind}"[], %s::"{kind}"[])', sides).fetchall() == []
    )


@pytest.mark.parametrize("function", ["maxsim", "maxsim_pairs"])
@pytest.mark.parametrize(
    ("kind", "three", "two"),
    [("halfvec", '{"[1,2,3]"}', '{"[1,2]"}'), ("vector", '{"[1,2,3]"}', '{"[1,2]"}'), ("bit", "{101}", "{10}")],
)
def test_different_dimensions_are_an_error_that_names_both(
    server: Connection, function: str, kind: str, three: str, two: str
) -> None:
    with pytest.raises(psycopg.errors.DataException, match=r"different .* (3 and 2|2 and 3)"):
        server.execute(f'SELECT pgencoder.{function}(%s::"{kind}"[], %s::"{kind}"[])', [three, two])


@pytest.mark.parametrize("function", ["maxsim", "maxsim_pairs"])
@pytest.mark.parametrize(("kind", "one"), [("halfvec", '"[1,2]"'), ("vector", '"[1,2]"'), ("bit", "10")])
def test_a_null_token_is_an_error_that_says_which(server: Connection, function: str, kind: str, one: str) -> None:
    whole, broken = f"{{{one},{one}}}", f"{{{one},NULL}}"
    statement = f'SELECT pgencoder.{function}(%s::"{kind}"[], %s::"{kind}"[])'
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="document token 2 is NULL"):
        server.execute(statement, [whole, broken])
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="query token 2 is NULL"):
        server.execute(statement, [broken, whole])


def test_nan_does_not_get_in(server: Connection) -> None:
    with pytest.raises(psycopg.errors.DataException, match="NaN"):
        ask(server, "pgencoder.maxsim(%s, %s)", np.array([[np.nan, 1.0]]), np.array([[1.0, 1.0]]))


def test_bits_of_no_dimensions_are_an_error(server: Connection) -> None:
    with pytest.raises(psycopg.errors.DataException, match="0 dimensions"):
        server.execute("SELECT pgencoder.maxsim(array[B''], array[B''])")


def test_the_asymmetric_form_says_what_it_needs(connection: Connection) -> None:
    for function in ("maxsim", "maxsim_pairs"):
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="pgencoder_native"):
            connection.execute(f"SELECT pgencoder.{function}(array['[1,0]']::halfvec[], array[B'10'])".encode())


def test_functions_declare_what_they_are(server: Connection) -> None:
    rows = server.execute(
        "SELECT proname, provolatile, proparallel, obj_description(oid, 'pg_proc') FROM pg_proc"
        " WHERE pronamespace = 'pgencoder'::regnamespace"
    ).fetchall()
    assert {name for name, *_ in rows} >= {"maxsim", "maxsim_pairs", "binary_quantize", "kernel", "score"}
    for name, volatility, parallel, comment in rows:
        assert comment, name
        assert parallel == ("u" if name == "use_kernel" else "s"), name
        assert volatility == ("v" if name in ("reject_tokens", "use_kernel") else "i"), name
