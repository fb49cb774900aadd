"""The ledger's migrations. A landed one is never edited."""
