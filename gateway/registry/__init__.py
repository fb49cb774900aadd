"""Versions, releases, artifacts, what serves now, and the follower that swaps plans."""
