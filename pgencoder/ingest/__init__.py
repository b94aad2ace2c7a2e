"""From rows to passages: attaching a table, chunking, and draining the queue."""
