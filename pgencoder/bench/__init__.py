"""Measures speed: `pgencoder bench`."""
