"""What is switched on, for whom, and why."""
