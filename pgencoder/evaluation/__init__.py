"""Measures the quality of retrieval on BEIR folders, for `pgencoder eval`."""
