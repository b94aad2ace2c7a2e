"""Adapters for retrieval frameworks, each with an extra; no other package imports them."""
