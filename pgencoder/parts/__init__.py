"""The parts of a `Database`, one job each."""
