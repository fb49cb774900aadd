"""The one table of the lane's keys: it fills the buttons' `data-key` and `aria-keyshortcuts`, and the help. Pure.

The classes come first, with the keys that their label schema gives them. A command whose usual key a class has taken
gets the capital letter: classes are pressed all day, commands are not.
"""

from collections.abc import Sequence

import msgspec

from gateway.labels import LabelSchema
from review.desk.pair import Pair


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
FIRST = Key(key="f", title="First", help="The first of the two answers is right.", say="first")
SECOND = Key(key="s", title="Second", help="The second of the two answers is right.", say="second")
BOTH = Key(key="b", title="Both", help="Both numbers or texts are right.", say="both")
NEITHER = Key(key="n", title="Neither", help="Go to the field for the right answer; Enter sends it.", say="neither")
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


def answer_keys(schema: LabelSchema, pair: Pair | None = None) -> tuple[Key, ...]:
    """The keys that answer: one a class, or approve and correct where the answer is written.

    Between two answers: one for each of them, and one for every other class, which says that neither is right.
    """
    if pair is not None:
        return pair_keys(schema, pair)
    if schema.kind == "choice":
        return choice_keys(schema)
    return APPROVE, msgspec.structs.replace(CORRECT, say=schema.kind)


def pair_keys(schema: LabelSchema, pair: Pair) -> tuple[Key, ...]:
    """The keys of two unnamed answers; a side without an answer has none."""
    sides = [key for key, answer in zip((FIRST, SECOND), pair.answers, strict=True) if answer is not None]
    if schema.kind != "choice":
        both = (BOTH,) if len(sides) == len(pair.answers) else ()
        return (*sides, *both, msgspec.structs.replace(NEITHER, say=f"neither_{schema.kind}"))
    others = tuple(
        msgspec.structs.replace(key, help=key.help or "Neither of the two: this is right.", say=f"neither:{one.value}")
        for key, one in zip(choice_keys(schema), schema.choices, strict=True)
        if one.value not in pair.answers
    )
    taken = {key.key for key in others}
    return (*(_beside(key, taken) for key in sides), *others)


def command_keys(answers: Sequence[Key] = ()) -> tuple[Key, ...]:
    """The commands' keys beside those that answer; one that cannot give way is left to its button."""
    taken = {key.key for key in answers}
    beside = (_beside(key, taken) for key in COMMANDS)
    return tuple(key for key in beside if key.key)


def _beside(key: Key, taken: set[str]) -> Key:
    """The key, its capital where a class has taken it, or none."""
    free = next((one for one in (key.key, key.key.upper()) if one not in taken), "")
    return msgspec.structs.replace(key, key=free)
