"""Real servers for tests: each on a free port of the loopback, each gone when the process that started it is gone."""
