"""Articles with semantic search: FastAPI, SQLAlchemy async, Alembic and pgencoder. See README.md in this folder."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import pgencoder
from pgencoder.sqlalchemy import Encoded, EncodedColumns, with_passage

url = sa.make_url(os.environ["PGENCODER_DATABASE_URL"])
engine = create_async_engine(url.set(drivername="postgresql+asyncpg"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
db = pgencoder.connect(url)  # for calls that are not a statement: status, contexts, explanations


class Base(DeclarativeBase):
    """The declarative base; Alembic compares the database with its classes."""


class Article(Encoded, Base):
    """An article; its title and body are encoded together."""

    __tablename__ = "articles"
    __encoding__ = EncodedColumns(columns=["title", "body"])

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]


class Written(BaseModel):
    """An article as clients send it."""

    lang: str = "en"
    title: str
    body: str


class Stored(Written):
    """An article with its number."""

    model_config = ConfigDict(from_attributes=True)
    id: int


class Found(BaseModel):
    """A search result: the article, and the passage that the search found."""

    score: float
    passage: str
    article: Stored


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Load the model before the first request, and close the connections after the last."""
    await pgencoder.aselect(Article, "warm up")
    yield
    await engine.dispose()
    db.close()


async def session() -> AsyncIterator[AsyncSession]:
    """Open a transaction for one request."""
    async with sessions.begin() as each:
        yield each


app = FastAPI(title="Articles", lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(session)]
Text = Annotated[str, Query(min_length=1)]


@app.exception_handler(pgencoder.errors.InvalidRequest)
async def invalid(_: Request, error: pgencoder.errors.InvalidRequest) -> JSONResponse:
    """Answer a wrong request with its message."""
    return JSONResponse({"detail": str(error)}, 422)


@app.exception_handler(pgencoder.errors.NotEncoded)
async def not_encoded(_: Request, error: pgencoder.errors.NotEncoded) -> JSONResponse:
    """Answer a question about an article that is gone or not encoded yet."""
    return JSONResponse({"detail": str(error)}, 404)


@app.post("/articles", status_code=201)
async def write(written: Written, session: Session) -> Stored:
    """Store an article; a worker encodes it."""
    article = Article(**written.model_dump())
    session.add(article)
    await session.flush()
    return Stored.model_validate(article)


@app.put("/articles/{number}")
async def change(number: int, written: Written, session: Session) -> Stored:
    """Change an article; a worker encodes the change."""
    article = await session.get(Article, number) or missing(number)
    for name, value in written:
        setattr(article, name, value)
    return Stored.model_validate(article)


@app.delete("/articles/{number}", status_code=204)
async def remove(number: int, session: Session) -> None:
    """Remove an article; searches no longer find it."""
    await session.delete(await session.get(Article, number) or missing(number))


@app.get("/search")
async def search(q: Text, session: Session, k: Annotated[int, Query(ge=1, le=100)] = 5, lang: str = "") -> list[Found]:
    """Return the `k` best articles; `lang` narrows the recall, so that all `k` are in that language."""
    statement = await pgencoder.aselect(Article, q, k)
    if lang:
        statement = statement.where(Article.lang == lang)
    rows = await session.execute(with_passage(statement))
    return [
        Found(score=score, passage=passage.content, article=Stored.model_validate(article))
        for article, score, passage in rows
    ]


@app.get("/articles/{number}/why", response_class=HTMLResponse)
async def why(number: int, q: Text) -> str:
    """Show which words of the article match which words of the query."""
    return (await db.aexplain("articles", q, number))._repr_html_()


@app.get("/context", response_class=PlainTextResponse)
async def context(q: Text, max_tokens: Annotated[int, Query(ge=1)] = 1000) -> str:
    """Return passages for the prompt of a language model, with numbers for citations."""
    return (await db.acontext("articles", q, max_tokens)).text


@app.get("/status")
async def status() -> dict[str, float]:
    """Return how many articles wait for a worker, and for how long."""
    (articles,) = await db.astatus()
    state = articles.active
    return {"waiting": state.queued + state.in_flight, "failed": state.failed, "lag_seconds": state.lag_seconds}


def missing(number: int) -> Article:
    """Answer that there is no such article."""
    raise HTTPException(404, f"no article {number}")
