"""Measures retrieval quality on BEIR folders: `pgencoder eval`."""
