"""Progressive rollouts: a flag that is let on step by step, by the worker, and stopped by anybody."""
