"""A release in one archive that stands by itself: taken, verified, replayed, and brought into another Lockgate."""
