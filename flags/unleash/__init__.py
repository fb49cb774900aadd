"""Flags of an Unleash server: fetched by its own client, answered by our own engine, with usage told back to it."""
