"""A play in which three real models answer, real ratings are replayed and one caller waits for you.

The demo is a client like any other: it imports nothing from the product, and the product imports nothing from it.
"""
