"""Connections, values and locks, and the embedded server."""
