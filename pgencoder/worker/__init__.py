"""Keeps passages in step with their rows: the worker, its sources of work, and `sync`.

A `Worker` has a list of sources of work (`work.WorkSource`), the most urgent first: `ChangedRows`, `Backfill`,
`IndexBuilds` and `Comparison`. Each returns its next piece of work. The worker asks them, runs the pieces (`pipeline`)
and waits (`notifications`). `heartbeat` extends leases and shows that the worker lives. The sources share
`Generations`: each generation with its encoder, as a `Target`. `pgencoder.ingest` describes what happens to a row.
"""
