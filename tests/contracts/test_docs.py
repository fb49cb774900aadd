"""The documentation says what the code has."""

import pytest

from tests.contracts.docs import TABLES, Table
from tests.contracts.tables import every_error, sentence


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_the_table_is_in_step_with_the_code(table: Table) -> None:
    """A page's table is what the code says; `make docs` writes it anew."""
    assert table.in_step, f"docs/{table.page} is out of step with the code: run `make docs`"


def test_every_error_states_itself() -> None:
    """Each error has a sentence of its own, which ends as a sentence does, and inherits no other's."""
    silent = [kind.__qualname__ for kind in every_error() if not kind.__dict__.get("__doc__")]
    assert silent == []
    unfinished = [kind.__qualname__ for kind in every_error() if sentence(kind)[-1] not in ".…!?}"]
    assert unfinished == []
