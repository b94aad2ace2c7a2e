"""A LlamaIndex retriever of any collection's passages, and a vector store that keeps nodes in a table of its own."""

from __future__ import annotations

from pgencoder.errors import MissingExtra

try:
    import llama_index.core  # noqa: F401
except ImportError as error:
    raise MissingExtra(
        "pgencoder.integrations.llama_index needs LlamaIndex; install it: pip install 'pgencoder[llama-index]'"
    ) from error

from pgencoder.integrations.llama_index.retriever import PgencoderRetriever
from pgencoder.integrations.llama_index.store import PgencoderVectorStore

__all__ = ["PgencoderRetriever", "PgencoderVectorStore"]
