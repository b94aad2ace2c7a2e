"""Searches: one SELECT of ANN recall and MaxSim."""

from pgencoder.search.statement import Search, search_statement

__all__ = ["Search", "search_statement"]
