"""Everything that touches Postgres itself: engines, connections, values, locks and the embedded server."""
