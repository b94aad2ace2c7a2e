"""Measures speed, for `pgencoder bench`: one module for each benchmark."""
