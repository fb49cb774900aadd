"""From what a server answers to the state that is kept under its digest. PURE.

Only version, features and segments are evaluated, so only they are kept: the same flags have the same digest whatever
revision, query or order the server tells them with. Members that nobody here knows stay, because the engine may.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from flags.definitions import digest_of
from flags.errors import NotAFeatureState
from flags.store import StoredState


class _Meta(Struct, frozen=True, rename="camel"):
    revision_id: int = 0


class _Answer(Struct, frozen=True, kw_only=True):
    """What `GET /client/features` answers, as far as it is of interest."""

    features: list[dict[str, Any]]
    version: int = 2
    segments: list[dict[str, Any]] = []
    meta: _Meta = _Meta()


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def fetched_state(content: bytes) -> StoredState:
    """The state in an answer, its version the server's revision; raises `NotAFeatureState` where there is none."""
    try:
        answer = _ANSWER.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotAFeatureState(why=str(error)) from error
    plain = {
        "version": answer.version,
        "features": sorted(answer.features, key=lambda feature: str(feature.get("name"))),
        "segments": sorted(answer.segments, key=lambda segment: str(segment.get("id"))),
    }
    body = msgspec.json.encode(plain, order="sorted")
    return StoredState(version=answer.meta.revision_id, digest=digest_of(body), body=body)
