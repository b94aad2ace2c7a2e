"""Vectors in tables of one's own: the column types, and MaxSim over them."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import pgencoder
from pgencoder import Database, Dense, Tokens
from pgencoder.errors import InvalidRequest
from pgencoder.types import KernelName, Matrix
from pgencoder.vectors import normalize


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    dense: Mapped[Any] = mapped_column(Dense(8))
    bits: Mapped[Matrix | None] = mapped_column(Tokens(12))
    halves: Mapped[Matrix | None] = mapped_column(Tokens(12, "halfvec"))


def notes() -> list[Note]:
    generator = np.random.default_rng(5)
    made = []
    for i in range(20):
        tokens = generator.standard_normal((i, 12))
        made.append(Note(id=i, dense=generator.standard_normal(8).tolist(), bits=tokens, halves=tokens))
    return [*made, Note(id=20, dense=[1.0] * 8, bits=None, halves=None)]


def check(found: list[Note]) -> None:
    assert len(found) == 21
    for note, made in zip(found, notes(), strict=True):
        assert np.asarray(note.dense) == pytest.approx(normalize(np.asarray(made.dense)), abs=1e-3)
        if made.bits is None:
            assert note.bits is None
            assert note.halves is None
        elif len(made.bits):
            assert made.halves is not None
            assert np.array_equal(note.bits, np.where(made.bits > 0, 1, -1))  # type: ignore[arg-type]
            assert note.halves == pytest.approx(normalize(made.halves), abs=1e-3)
        else:
            assert note.bits is not None
            assert len(note.bits) == 0


def test_they_come_back_as_they_were(db: Database) -> None:
    Base.metadata.create_all(db.engine)
    # an engine that nobody has told of vectors
    engine = sa.create_engine(db.engine.url)
    with Session(engine) as session:
        session.add_all(notes())
        session.commit()
        check(list(session.scalars(sa.select(Note).order_by(Note.id))))
        nearest = sa.select(Note.id).order_by(Note.dense.max_inner_product(notes()[7].dense)).limit(1)
        assert session.scalar(nearest) == 7
    reflected = sa.inspect(engine).get_columns("notes")[1]["type"]
    assert str(reflected) == "HALFVEC(8)"
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_on_async_engines(db: Database, driver: str) -> None:
    Base.metadata.create_all(db.engine)

    async def run() -> None:
        engine = create_async_engine(db.engine.url.set(drivername=f"postgresql+{driver}"))
        async with AsyncSession(engine) as session:
            session.add_all(notes())
            await session.commit()
            check(list(await session.scalars(sa.select(Note).order_by(Note.id))))
            query = notes()[9].halves
            assert query is not None
            for column in (Note.halves, Note.bits):
                best = sa.select(Note.id).order_by(pgencoder.maxsim(query, column).desc().nulls_last()).limit(1)
                assert await session.scalar(best) == 9
        await engine.dispose()

    asyncio.run(run())


def test_maxsim_is_that_of_numpy(db: Database, kernel: KernelName) -> None:
    Base.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        session.add_all(notes())
        session.flush()
        query = np.random.default_rng(6).standard_normal((5, 12))
        rows = session.execute(sa.select(Note.id, pgencoder.maxsim(query, Note.halves)).order_by(Note.id)).all()
        for (_, score), made in zip(rows, notes(), strict=True):
            if made.halves is None or not len(made.halves):
                assert score is None
            else:
                products = normalize(query) @ normalize(made.halves).T
                assert score == pytest.approx(products.max(axis=1).sum(), abs=5e-3)


def test_a_value_can_be_replaced(db: Database) -> None:
    Base.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        session.add_all(notes())
        session.commit()
        for note in session.scalars(sa.select(Note)):
            note.bits = note.halves = np.ones((note.id + 2, 12))
        session.commit()
        for note in session.scalars(sa.select(Note)):
            assert note.bits is not None
            assert note.bits.shape == (note.id + 2, 12)
        note = session.get_one(Note, 3)
        note.halves = note.halves
        assert not session.dirty or not session.is_modified(note)
        note.halves = None
        session.commit()
        assert session.get_one(Note, 3).halves is None


def test_types_that_cannot_be(db: Database) -> None:
    with pytest.raises(InvalidRequest, match='"bit" or "halfvec"'):
        Tokens(12, "vector")  # type: ignore[arg-type]
    Base.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        for wrong, message in (
            (Note(id=1, dense=[1.0] * 7), r"shape \(8\), got \(7,\)"),
            (Note(id=1, dense=[1.0] * 8, bits=np.ones((2, 18))), r"shape \(n, 12\), got \(2, 18\)"),
            (Note(id=1, dense=[1.0] * 8, halves=np.ones((12,))), r"shape \(n, 12\), got \(12,\)"),
        ):
            session.add(wrong)
            with pytest.raises(sa.exc.StatementError, match=message):
                session.flush()
            session.rollback()
