"""Contracts: what may import what, and docs that are in step with the code."""
