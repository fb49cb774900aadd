"""The rollouts in a state of flags, of whatever source, by which a simulation need not ask for each request."""

from collections.abc import Mapping
from typing import Any

import msgspec

from flags.definitions import Feature, Segment, part_from
from flags.errors import InvalidFlags
from flags.names import of_model
from flags.reading import Reader, Rollout


def rollouts_in(body: bytes, model: str) -> dict[str, tuple[Rollout, ...]]:
    """The rollouts of each of a model's flags of whose fields nothing but the place in the rollout counts."""
    reader = _reader(body, model)
    return {flag: reader.rollouts(flag) for flag in of_model(model).all()} if reader is not None else {}


def _reader(body: bytes, model: str) -> Reader | None:
    """What reads the model's flags, those on which they depend, and the segments."""
    state: dict[str, Any] = msgspec.json.decode(body)
    features = {str(one.get("name")): one for one in state.get("features", ())}
    try:
        found = [_part(features[name], Feature) for name in _with_parents(features, of_model(model).all())]
        return Reader(found, [_part(one, Segment) for one in state.get("segments", ())])
    except InvalidFlags:
        return None


def _with_parents(features: Mapping[str, Any], flags: tuple[str, ...]) -> list[str]:
    """The flags that are there, and those on which they depend."""
    found: list[str] = []
    waiting = list(flags)
    while waiting:
        name = waiting.pop()
        if name in features and name not in found:
            found.append(name)
            waiting += [str(one.get("feature")) for one in features[name].get("dependencies", ())]
    return found


def _part(plain: Any, of: Any) -> Any:
    return part_from(msgspec.json.encode(plain), of)
