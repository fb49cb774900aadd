"""What is missing for a model's flags to stand in an Unleash server. Pure.

| found | steps |
|---|---|
| no flag | create it, tag it, give it its strategy: it is off, and on would be on for everybody |
| a flag without a strategy in the environment | give it one, which means what none means: on is on for everybody |
| a flag with strategies | none, whatever they are: they are its owner's |
| a tag is missing | add it |

Nothing is ever switched, described anew, or taken away.
"""

from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from flags.names import describe, parse
from flags.unleash.admin import ShownFeature, Tag

TYPE = "kill-switch"
"""A type of Unleash that never grows stale: off is the safe side of each flag, as long as there is the model."""
TAG_TYPE = "simple"
TAG_MAX = 50
"""How long Unleash lets the value of a tag be."""
Does = Literal["create", "tag", "strategy"]
SAYS: dict[Does, str] = {
    "create": "create it, off",
    "tag": "tag it",
    "strategy": "give it the strategy flexibleRollout at 100 %, so that on means on for everybody",
}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be done to a flag."""

    flag: str
    does: Does
    said: str
    tag: Tag | None = None


def steps_of(flag: str, found: ShownFeature | None, tags: Collection[Tag], environment: str) -> tuple[Step, ...]:
    """What is missing for this flag, in the order in which it is to be done."""
    return tuple(_steps(flag, found, tags, environment))


def tags_of(flag: str) -> tuple[Tag, ...]:
    """The tags of a model's flag: that it is ours, and whose it is."""
    model, _ = parse(flag)
    return tuple(Tag(type=TAG_TYPE, value=value[:TAG_MAX]) for value in ("lockgate", f"model:{model}"))


def strategy_of(flag: str) -> dict[str, object]:
    """The strategy that a new flag gets: on for everybody once it is on, and ready to be rolled out by less."""
    return {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "default", "groupId": flag}}


def description_of(flag: str) -> str:
    """What the flag does, in a sentence."""
    return describe(flag)


def _steps(flag: str, found: ShownFeature | None, tags: Collection[Tag], environment: str) -> Iterator[Step]:
    if found is None:
        yield Step(flag=flag, does="create", said=SAYS["create"])
    for tag in tags_of(flag):
        if tag not in tags:
            yield Step(flag=flag, does="tag", said=f"{SAYS['tag']} '{tag.value}'", tag=tag)
    here = next((one for one in found.environments if one.name == environment), None) if found else None
    if here is None or not here.strategies:
        yield Step(flag=flag, does="strategy", said=f"in {environment}, {SAYS['strategy']}")
