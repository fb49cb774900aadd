"""The sentence of the first caller: kept back from training, doubtful, answered wrongly, and plain to any person."""

from demo.errors import DataUnreadable
from demo.items import Item, snippet_item
from demo.models.build import Held

OPENING = "has destroyed several of my dvds and cds."


def opening_item(held_out: Held) -> Item:
    """The request of the caller who waits for the newcomer's verdict."""
    for snippet in held_out.snippets:
        if snippet.text == OPENING:
            return snippet_item(snippet)
    raise DataUnreadable(part="The held-out side", problem=f"it lacks the opening sentence '{OPENING}'")
