"""Releases: the gate, trials, promotion and rollback."""
