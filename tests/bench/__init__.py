"""Benchmarks: `python -m tests.bench` runs them all; the last line is one JSON object."""
