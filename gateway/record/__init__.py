"""The traffic log: every prediction appended to per-process segments before its answer leaves, and read back."""
