"""Load from outside: services, reviewers and an operator that know only the wire. Imports nothing from the product."""
