"""Holding: a prediction waits for people, and its caller is told exactly one truth."""
