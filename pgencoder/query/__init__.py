"""The search statement: recall by ANN, rerank by MaxSim, in one SELECT."""

from pgencoder.query.statement import Search, search_statement

__all__ = ["Search", "search_statement"]
