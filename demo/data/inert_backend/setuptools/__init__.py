"""Stands in for setuptools while pip fetches an archive that is only read, so that no code in it runs."""
