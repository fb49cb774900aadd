"""The SQL of what people do: cases, claims, verdicts, outcomes, queues."""
