"""People: how they join, sign in, get roles and keys."""
