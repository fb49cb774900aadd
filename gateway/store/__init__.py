"""The ledger: schema, sessions, migrations, and the SQL of the gateway's own aggregates."""
