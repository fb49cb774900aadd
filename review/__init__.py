"""People, outcomes, learning and releases."""
