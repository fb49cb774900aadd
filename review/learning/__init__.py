"""Learning: outcomes become datasets, and datasets become scores."""
