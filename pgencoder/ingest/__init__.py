"""The steps from a row to its passages: queue, chunking, encoding, writing, backfill, reconcile and index."""
