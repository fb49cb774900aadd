"""The traffic log at rest: sealed to Parquet, counted and sampled with DuckDB, removed when its time is over."""
