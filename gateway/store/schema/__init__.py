"""The tables of the ledger. What is immutable here is held so by triggers."""

from gateway.store.schema import flags, immutable, learning, plumbing, predictions, rollouts, serves, who, work
from gateway.store.schema.columns import Table

__all__ = ["Table", "flags", "immutable", "learning", "plumbing", "predictions", "rollouts", "serves", "who", "work"]
