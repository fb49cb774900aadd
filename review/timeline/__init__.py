"""What happened to the models, by whom and why, as one line of time."""
