"""The command, and how the processes are put together; the only package that knows the other three."""
