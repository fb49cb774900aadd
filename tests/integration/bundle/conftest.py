"""Releases worth bundling, once on each database."""

from tests.integration.learning.conftest import learning

__all__ = ["learning"]
