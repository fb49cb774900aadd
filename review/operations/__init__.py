"""The models as operators see them: what serves, what is tried, what waits, and what is wrong now."""
