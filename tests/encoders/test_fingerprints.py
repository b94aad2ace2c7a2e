"""One rule tells which encoders are the same, in Python and in SQL."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

import pgencoder
from pgencoder import Database
from pgencoder.encoders import same_encoder
from pgencoder.errors import FingerprintMismatch
from tests.connections import Connection
from tests.encoder import WordEncoder

BASE: dict[str, Any] = {
    "encoder": "sentence-transformers",
    "model": "/models/a",
    "token_model": None,
    "weights": "abc",
    "dims": {"dense": 32, "tokens": 16},
    "trained": True,
}
TWO = BASE | {"token_model": "/models/c", "token_weights": "def"}
PLAIN = {"model": "words", "dims": [32, 16]}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "the same": (BASE, dict(reversed(BASE.items())), True),
    "another path": (BASE, BASE | {"model": "/copies/a"}, True),
    "another path of both": (TWO, TWO | {"model": "/copies/a", "token_model": "/copies/c"}, True),
    "no name": (BASE, {name: value for name, value in BASE.items() if name != "model"}, True),
    "other weights": (BASE, BASE | {"weights": "abd"}, False),
    "other weights of the tokens": (TWO, TWO | {"token_weights": "deg"}, False),
    "a second model": (BASE, TWO, False),
    "a second model of no hash": (BASE | {"token_model": "c"}, BASE | {"token_model": "d"}, False),
    "no hash, another name": (PLAIN, PLAIN | {"model": "other"}, False),
    "no hash, the same name": (PLAIN, dict(PLAIN), True),
    "hash of one only": (BASE, {name: value for name, value in BASE.items() if name != "weights"}, False),
    "no hash but its name": (PLAIN | {"weights": None}, PLAIN | {"weights": None, "model": "other"}, False),
    "an empty hash": (PLAIN | {"weights": ""}, PLAIN | {"weights": "", "model": "other"}, False),
    "no hashes": (PLAIN | {"weights": []}, PLAIN | {"weights": [], "model": "other"}, False),
    "hashes of parts": (PLAIN | {"weights": {"0": "a"}}, PLAIN | {"weights": {"0": "a"}, "model": "other"}, True),
    "an empty object": (PLAIN | {"weights": {}}, PLAIN | {"weights": {}, "model": "other"}, False),
    "false": (PLAIN | {"weights": False}, PLAIN | {"weights": False, "model": "other"}, False),
    "other dims": (BASE, BASE | {"dims": {"dense": 32, "tokens": 8}}, False),
    "a field more": (BASE, BASE | {"prompts": {}}, False),
    "null and absent": (PLAIN, PLAIN | {"more": None}, False),
    "a tuple": (PLAIN, PLAIN | {"dims": (32, 16)}, True),
    "1 and 1.0": (PLAIN | {"scale": 1}, PLAIN | {"scale": 1.0}, True),
    "1 and true": (PLAIN | {"scale": 1}, PLAIN | {"scale": True}, False),
    "1.5": (PLAIN | {"scale": 1.5}, PLAIN | {"scale": 1.50}, True),
    "words in other letters": (PLAIN | {"model": "Ä"}, PLAIN | {"model": "A\u0308"}, False),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any], bool]:
    return CASES[request.param]


def test_the_rule_is_the_same_everywhere(
    connection: Connection, db: Database, case: tuple[dict[str, Any], dict[str, Any], bool]
) -> None:
    stored, given, same = case
    own, other = WordEncoder(), WordEncoder()
    own.fingerprint, other.fingerprint = stored, given
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO t VALUES (1, 'alpha beta')")
    db.attach("t", ["body"], own)
    db.sync("t")
    found = {
        "Python": same_encoder(stored, given) and same_encoder(given, stored),
        "comparable": _truth(connection, "pgencoder._comparable(%s) = pgencoder._comparable(%s)", stored, given),
        "check_active": _truth(
            connection, "pgencoder._check_active(pgencoder.t_active(), jsonb_build_object('encoder', %s::jsonb))",
            given,
        ),
        "search function": _truth(
            connection, "(SELECT count(*) = 1 FROM pgencoder.t_search(%s, %s::text::halfvec[], query_encoder => %s))",
            *_query(own), given,
        ),
        "search": _finds(lambda: db.search("t", "alpha", encoder=other)),
        "select": _finds(lambda: _select(db, other)),
        "sync": _finds(lambda: [db.sync("t", encoder=other)]),
    }  # fmt: skip
    assert found == dict.fromkeys(found, same)


def test_a_query_of_no_encoder_is_not_checked(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (1, 'alpha')")
    db.attach("t", ["body"], words)
    db.sync("t")
    statement = "(SELECT count(*) = 1 FROM pgencoder.t_search(%s, %s::text::halfvec[], query_encoder => {}))"
    assert _truth(connection, statement.replace("{}", "NULL"), *_query(words))
    for broken in ("null", "1", '"words"', "[]"):
        assert not _truth(connection, statement.replace("{}", f"'{broken}'"), *_query(words))


def _query(encoder: WordEncoder) -> tuple[str, str]:
    query = encoder.encode_query("alpha")
    tokens = ",".join(json.dumps(str(token.tolist())) for token in query.tokens)
    return str(query.dense.tolist()), f"{{{tokens}}}"


def _truth(connection: Connection, expression: str, *parameters: Any) -> bool:
    values = [Jsonb(each) if isinstance(each, dict) else each for each in parameters]
    try:
        row = connection.execute(f"SELECT {expression}".encode(), values).fetchone()
    except psycopg.Error as error:
        if "encoded by" not in str(error):
            raise
        return False
    assert row is not None
    return bool(row[0])


def _finds(run: Any) -> bool:
    try:
        return len(run()) == 1
    except FingerprintMismatch:
        return False


def _select(db: Database, encoder: WordEncoder) -> list[Any]:
    statement = pgencoder.select("t", "alpha", db=db, encoder=encoder)
    with db.engine.connect() as connection:
        return list(connection.execute(statement))
