"""Measures: retrieval quality on BEIR folders, and speed."""
