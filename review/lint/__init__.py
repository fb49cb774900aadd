"""What would surprise whoever switches a flag: named before it does."""
