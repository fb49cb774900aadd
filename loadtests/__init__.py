"""Load from outside: callers that know only the wire. Imports nothing from the product."""
