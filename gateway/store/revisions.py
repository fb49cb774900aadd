"""The schema revisions that this code knows, and the one of a ledger in a file: read without the ledger's libraries."""

import sqlite3
from contextlib import closing
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """The revisions that this code knows, the first one first; the name of a migration's file begins with its own."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """The newest revision that this code knows."""
    return revisions()[-1]


def file_revision(path: Path) -> str:
    """The revision of a ledger in an SQLite file; '' where there is none, or nobody can tell."""
    if not path.is_file():
        return ""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return ""
    return str(found[0]) if found else ""
