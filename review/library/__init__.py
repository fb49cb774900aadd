"""The library of corrections: every settled outcome, searched, shown and exported."""
