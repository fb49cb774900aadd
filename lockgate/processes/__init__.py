"""The processes: each one explicit context manager, everything opened in it closed in reverse."""
