"""The play: a server, three models, a caller who waits for you, traffic, and people who rated these sentences."""
