"""Hostile requests without end, made from a seed: `python -m tests.fuzz`, or a slice of it in the tests."""
