"""Keeps passages in step with their rows: the worker, its heartbeat and metrics, and `sync`."""
