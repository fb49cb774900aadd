"""Model files admitted in a child process, opened as sessions, and run."""
