"""The one table of the lane's keys: it fills the buttons' `data-key` and `aria-keyshortcuts`, and the help. Pure.

The classes come first, with the keys that their label schema gives them. A command whose usual key a class has taken
gets the capital letter: classes are pressed all day, commands are not.
"""

import msgspec

from gateway.labels import LabelSchema


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key and what pressing it does."""

    key: str
    title: str
    help: str
    say: str = ""
    """What its button sends; empty for keys that judge nothing."""


COMMANDS: tuple[Key, ...] = (
    Key(key="x", title="Unanswerable", help="No answer is right; the caller is refused.", say="unanswerable"),
    Key(key="t", title="Cannot tell", help="Another person, please.", say="cannot_tell"),
    Key(key="e", title="Escalate", help="A lead, please.", say="escalate"),
    Key(key="r", title="Rationale", help="Write why; Ctrl+Enter sends the verdict that asked for it."),
    Key(key="u", title="Undo", help="Take the last verdict back, for one minute or until its release."),
    Key(key="?", title="Help", help="Show these keys."),
)
APPROVE = Key(key="a", title="Approve", help="The model's answer is right.", say="approve")
CORRECT = Key(key="c", title="Correct", help="Go to the field for the right answer; Enter sends it.")
SPARE = "123456789abcdfghijklmnopqsvwyz0"


def choice_keys(schema: LabelSchema) -> tuple[Key, ...]:
    """The keys of a choice schema's classes, in order; a class without a key gets the next digit that is free."""
    taken = {choice.key.lower() for choice in schema.choices if choice.key}
    spare = (key for key in SPARE if key not in taken)
    return tuple(
        Key(
            key=choice.key or next(spare, ""),
            title=choice.shown,
            help=choice.help,
            say=f"choice:{choice.value}",
        )
        for choice in schema.choices
    )


def answer_keys(schema: LabelSchema) -> tuple[Key, ...]:
    """The keys that answer: one a class, or approve and correct where the answer is written."""
    if schema.kind == "choice":
        return choice_keys(schema)
    return APPROVE, msgspec.structs.replace(CORRECT, say=schema.kind)


def command_keys(schema: LabelSchema | None = None) -> tuple[Key, ...]:
    """The commands' keys beside a schema's own; one that cannot give way is left to its button."""
    taken = {key.key.lower() for key in answer_keys(schema)} if schema is not None else set()
    beside = (_beside(key, taken) for key in COMMANDS)
    return tuple(key for key in beside if key.key not in taken)


def _beside(key: Key, taken: set[str]) -> Key:
    return msgspec.structs.replace(key, key=key.key.upper()) if key.key in taken else key
