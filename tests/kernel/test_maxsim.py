"""MaxSim in the database equals MaxSim in NumPy, errors and edges included, with either kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgencoder import vectors
from pgencoder.types import KernelName
from pgencoder.vectors import HalfvecArray
from tests.kernel.oracle import Floats, maxsim, signs

Connection = psycopg.Connection[Any]


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
def test_the_asymmetric_form_equals_numpy(native_server: Connection, pair: tuple[Floats, Floats]) -> None:
    found = ask(native_server, "pgencoder.maxsim(%s, pgencoder.binary_quantize(%s))", *pair)
    query, document = pair
    # a value is off by half a step of its token's 8-bit code at most
    bound = np.abs(query).max(axis=1).sum() / 127 / 2 * np.sqrt(query.shape[1])
    assert found == pytest.approx(maxsim(query, signs(document)), abs=bound + 1e-6)
    # and exactly the same as with the codes in place of the values
    step = np.abs(query).max(axis=1, keepdims=True).astype(np.float32) / np.float32(127)
    codes = np.rint(query.astype(np.float32) / np.where(step == 0, 1, step)) * step.astype(np.float64)
    assert found == pytest.approx(maxsim(codes, signs(document)), abs=1e-5 * len(query))


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


def as_kind(kind: str, tokens: str) -> str:
    return f"pgencoder.binary_quantize({tokens})" if kind == "bit" else f"{tokens}::halfvec[]::{kind}[]"


@repeated
@given(token_pairs())
def test_asymmetric_pairs_add_up_to_maxsim(native_server: Connection, pair: tuple[Floats, Floats]) -> None:
    both = "%(q)s, pgencoder.binary_quantize(%(d)s)"
    parameters = {"q": HalfvecArray(pair[0]), "d": HalfvecArray(pair[1])}
    rows = native_server.execute(f"SELECT * FROM pgencoder.maxsim_pairs({both})", parameters).fetchall()
    total = native_server.execute(f"SELECT pgencoder.maxsim({both})", parameters).fetchone()
    assert total is not None
    assert sum(row[2] for row in rows) == pytest.approx(total[0], abs=1e-9)
    assert [row[0] for row in rows] == list(range(1, len(pair[0]) + 1))
    for query_token, document_token, similarity in rows:
        token, best = pair[0][query_token - 1], signs(pair[1])[document_token - 1]
        bound = np.abs(token).max() / 127 / 2 * np.sqrt(len(token)) + 1e-6
        assert similarity == pytest.approx(token @ best, abs=bound)
        assert similarity == pytest.approx((token @ signs(pair[1]).T).max(), abs=2 * bound)


@repeated
@given(token_pairs(), st.sampled_from(["halfvec", "vector", "bit"]))
def test_pairs_add_up_to_maxsim(server: Connection, pair: tuple[Floats, Floats], kind: str) -> None:
    both = f"{as_kind(kind, '%(q)s')}, {as_kind(kind, '%(d)s')}"
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
    with pytest.raises(psycopg.errors.DataException, match=r"different .* 2 and 3"):
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


@pytest.mark.parametrize("kind", ["halfvec", "vector", "bit"])
@pytest.mark.parametrize("dims", [1, 65, 1000, 16000])
def test_few_and_many_dimensions(server: Connection, kind: str, dims: int) -> None:
    generator = np.random.default_rng(dims)
    query, document = (generator.standard_normal((n, dims)).astype(np.float16).astype(np.float64) for n in (9, 4))
    found = ask(server, f"pgencoder.maxsim({as_kind(kind, '%s')}, {as_kind(kind, '%s')})", query, document)
    if kind == "bit":
        query, document = signs(query), signs(document)
    assert found == pytest.approx(maxsim(query, document), rel=1e-4)


@pytest.mark.parametrize("kind", ["halfvec", "vector", "bit"])
def test_an_array_of_arrays_counts_as_its_tokens_in_a_row(server: Connection, kind: str) -> None:
    flat, nested = ("{a,b,c,d}", "{{a,b},{c,d}}")
    for letter, vector in {"a": "[1,0,2]", "b": "[0,1,0]", "c": "[-1,1,1]", "d": "[2,1,-3]"}.items():
        text = (
            "".join("1" if float(x) > 0 else "0" for x in vector[1:-1].split(",")) if kind == "bit" else f'"{vector}"'
        )
        flat, nested = flat.replace(letter, text), nested.replace(letter, text)
    statement = f'SELECT pgencoder.maxsim(%s::"{kind}"[], %s::"{kind}"[])'
    expected = server.execute(statement, [flat, flat]).fetchone()
    assert server.execute(statement, [nested, flat]).fetchone() == expected
    assert server.execute(statement, [flat, nested]).fetchone() == expected
    statement = f'SELECT * FROM pgencoder.maxsim_pairs(%s::"{kind}"[], %s::"{kind}"[])'
    expected_pairs = server.execute(statement, [flat, flat]).fetchall()
    assert server.execute(statement, [nested, nested]).fetchall() == expected_pairs


@pytest.mark.parametrize("function", ["maxsim", "maxsim_pairs"])
@pytest.mark.parametrize(("kind", "three", "two"), [("halfvec", '"[1,2,3]"', '"[1,2]"'), ("bit", "101", "10")])
def test_mixed_dimensions_on_one_side_are_an_error(
    server: Connection, function: str, kind: str, three: str, two: str
) -> None:
    mixed, plain = f"{{{three},{two}}}", f"{{{three}}}"
    statement = f'SELECT pgencoder.{function}(%s::"{kind}"[], %s::"{kind}"[])'
    for sides in ([mixed, plain], [plain, mixed]):
        with pytest.raises(psycopg.errors.DataException, match=r"different .* (3 and 2|2 and 3)"):
            server.execute(statement, sides)
    # nothing is compared, so nothing is different
    row = server.execute(f'SELECT pgencoder.maxsim(%s::"{kind}"[], %s::"{kind}"[])', [mixed, "{}"]).fetchone()
    assert row == (None,)


@pytest.mark.parametrize("kind", ["halfvec", "vector", "bit"])
def test_a_null_query_token_is_an_error_even_without_a_document(server: Connection, kind: str) -> None:
    one = "10" if kind == "bit" else '"[1,2]"'
    statement = f'SELECT pgencoder.maxsim(%s::"{kind}"[], %s::"{kind}"[])'
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="query token 2 is NULL"):
        server.execute(statement, [f"{{{one},NULL}}", "{}"])
    assert server.execute(statement, ["{}", f"{{{one},NULL}}"]).fetchone() == (None,)


def test_products_that_overflow_are_infinite(server: Connection) -> None:
    statement = "SELECT pgencoder.maxsim(%s::vector[], %s::vector[])"
    big = '{"[3e38,3e38]"}'
    assert server.execute(statement, [big, '{"[3e38,3e38]","[1,1]"}']).fetchone() == (float("inf"),)
    assert server.execute(statement, [big, '{"[-3e38,-3e38]"}']).fetchone() == (float("-inf"),)
    # infinity less infinity is no number, which any other beats; a processor that does not round products has infinity
    row = server.execute(statement, [big, '{"[3e38,-3e38]","[0,0]"}']).fetchone()
    assert row in [(0.0,), (float("inf"),)]


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


# They look into the catalogues, or depend on the kernel, which can be switched
STABLE = (
    *("_attached_table", "_check_active", "_check_free", "_check_source", "_missing_parts"),
    *("_source_key", "_source_problem", "_source_warning", "kernel"),
)


def test_functions_declare_what_they_are(server: Connection) -> None:
    rows = server.execute(
        "SELECT proname, provolatile, proparallel, obj_description(oid, 'pg_proc'),"
        " oid::regprocedure::text LIKE '%bit%' FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace"
    ).fetchall()
    assert {name for name, *_ in rows} >= {"maxsim", "maxsim_pairs", "binary_quantize", "kernel", "_score"}
    assert all(comment for *_, comment, _ in rows)
    for name, volatility, parallel, _, of_bits in [
        row for row in rows if row[0] not in ("_read_status", "_read_failed")
    ]:
        assert parallel == ("u" if name in ("use_kernel", "detach", "_check_free", "_drop_generation") else "s"), name
        volatile = ("_reject_tokens", "use_kernel", "detach", "_drop_generation")
        stable = name in STABLE or (name == "_score" and of_bits)
        assert volatility == ("v" if name in volatile else "s" if stable else "i"), name
