"""Which requests a flag was on for, by what their entries say."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from review.traffic.query import View, Window


def count_let_on(view: "View", window: "Window", kind: str) -> int:
    """How many decided predictions of the window met this flag of their model on; the window names the model."""
    rows, arguments = view.rows("decided")
    query = (
        f"SELECT count(*) FROM {rows} "  # noqa: S608 - values are arguments
        "WHERE tenant = ? AND model = ? AND at_us >= ? AND at_us < ? "
        "AND len(list_filter(flags, lambda flag: flag.name = ? AND flag.enabled)) > 0"
    )
    found = [str(window.tenant), window.model, window.since_us, window.until_us, kind]
    return int(view.connection.execute(query, arguments + found).fetchall()[0][0])
