"""The hot path: one request in, one answer or one hold out."""
