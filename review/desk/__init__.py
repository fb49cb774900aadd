"""The desk: queues, claims, verdicts, agreement, outcomes."""
