"""Connections, the embedded server, and the catalogue of collections."""
