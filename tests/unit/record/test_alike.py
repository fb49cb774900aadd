"""Entries that begin alike are read in two halves, and only where the halves are the whole."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from gateway.ids import new_id
from gateway.record.alike import KNOWN_MAX, Beginnings, Own, OwnDecided
from gateway.record.codec import decode, encode
from gateway.record.entries import Decided, Entry, FlagFact, InlineTensor, Shadowed, StageTimes
from tests.unit.record.casts import BESIDE, FLAGS, beside, plain
from tests.unit.record.samples import decided, delivered, refused, shadowed

CAST = {
    "plain": plain(),
    "with two items and an id of the caller's": plain(items=2, request_id="r-7"),
    "without items": plain(items=0),
    "plain beside a run": plain(decision=BESIDE),
    "under flags that nobody has loaded": plain(flags=replace(FLAGS, state=None, answers=(), revision=0)),
    "a run": beside(),
    "a run that was dropped": beside(status="dropped", reason="queue_full", output_digest=None, outputs=(), run_us=0),
    "a run that differs": beside(differing=(1, 2), draws=(0.4, 0.6), answers=("negative", None)),
}


def whole(entry: Decided | Shadowed, own: Own) -> Entry:
    """One of those that begin alike, with what is another's own."""
    said: dict[str, Any] = {
        name: value for name in own.__struct_fields__ if (value := getattr(own, name)) != msgspec.Raw()
    }
    said |= {"prediction": UUID(bytes=own.prediction), "outputs": _tensors(own.outputs)}
    if isinstance(own, OwnDecided):
        assert isinstance(entry, Decided)
        said |= {
            "api_key": UUID(bytes=own.api_key),
            "inputs": _tensors(own.inputs),
            "stages": msgspec.convert(own.stages, StageTimes),
        }
        said |= {"flags": replace(entry.flags, evaluated_us=said.pop("evaluated_us"))}
    elif "answers" in said:
        said["answers"] = msgspec.msgpack.decode(own.answers, type=tuple[str | None, ...])
    return replace(entry, **said)


def _tensors(raw: msgspec.Raw) -> tuple[InlineTensor, ...]:
    return msgspec.msgpack.decode(raw, type=tuple[InlineTensor, ...]) if raw else ()


def spoilt(data: bytes, **changes: Any) -> bytes:
    """The entry with other fields, still behind those in common."""
    return msgspec.msgpack.encode(msgspec.msgpack.decode(data) | changes)


@pytest.mark.parametrize("data", CAST.values(), ids=CAST)
def test_what_is_cast_in_a_mould_is_read_in_two_halves(data: bytes) -> None:
    """What entries have in common and what is one's own are together the entry."""
    alike = Beginnings().of(data)
    assert alike is not None
    own = alike.own(data)
    assert own is not None
    assert whole(alike.entry, own) == decode(data)


def test_entries_that_begin_alike_are_told_from_each_other() -> None:
    """Each has what is its own, whichever was met first; those that begin otherwise are others."""
    beginnings = Beginnings()
    for data in (*CAST.values(), plain(), beside(), *CAST.values()):
        alike = beginnings.of(data)
        assert alike is not None
        own = alike.own(data)
        assert own is not None
        assert whole(alike.entry, own) == decode(data)
    assert beginnings.of(plain()) is beginnings.of(plain())
    assert beginnings.of(plain()) is not beginnings.of(plain(decision=BESIDE))


FIELDS = msgspec.msgpack.decode(CAST["plain"])
NAMES = [name for name in FIELDS if name not in OwnDecided.__struct_fields__]
WHOLE = {
    "decided": encode(decided()),
    "decided, and said to be plain, in another order": encode(replace(decided(), plain=True)),
    "shadowed": encode(shadowed(new_id())),
    "delivered": encode(delivered(new_id())),
    "refused": encode(refused()),
    "nothing": b"",
    "no map": b"\x93" + CAST["plain"],
    "cut off": CAST["plain"][:-1],
    "asked at no time that takes eight bytes": spoilt(CAST["plain"], flags=FIELDS["flags"] | {"evaluated_us": 5}),
    "with flags that end otherwise": spoilt(CAST["plain"], flags=FIELDS["flags"] | {"unread": ["x"]}),
    "with flags that end in a text like it": spoilt(
        CAST["plain"], flags=FIELDS["flags"] | {"zone": "\u00acevaluated_us\u03c91234567"}
    ),
    "with a text in the place of a time": msgspec.msgpack.encode(
        {name: FIELDS[name] for name in NAMES}
        | {"mood": "\u00acevaluated_us\u03c91234567"}
        | {name: value for name, value in FIELDS.items() if name not in NAMES}
    ),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_anything_else_is_read_whole(data: bytes) -> None:
    """What does not tell first what it may have in common with others is not taken for alike."""
    assert Beginnings().of(data) is None


MORE: dict[str, dict[str, Any]] = {
    "a field of common meaning": {"asked": True},
    "objects": {"objects": [["input", "ab" * 32, 5, "text/plain"]]},
    "a mark that it was folded": {"folded": ["ab" * 32, 9000, 1, 0, 0, 0, 0]},
    "a field of a later release": {"mood": "sunny"},
    "an id that is none": {"prediction": b"short"},
    "a stage more": {"stages": [1, 2, 3, 4, 5, 6, 7]},
}


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
def test_an_entry_that_begins_alike_and_says_more_is_read_whole(more: dict[str, Any]) -> None:
    """What is behind the beginning has to be fields of its own, and no others."""
    met = plain()
    alike = Beginnings().of(met)
    assert alike is not None
    fields = msgspec.msgpack.decode(met)
    own = {name: fields[name] for name in OwnDecided.__struct_fields__ if name in fields}
    as_many = {name: value for name, value in own.items() if name != "outputs" or own.keys() >= more.keys()}
    begin = met[: met.index(b"\xcf", len(alike.begin)) + 9]
    assert alike.own(begin + msgspec.msgpack.encode(own)[1:]) == alike.own(met)
    assert alike.own(begin + msgspec.msgpack.encode(as_many | more)[1:]) is None


def test_a_name_that_looks_like_the_end_of_what_is_common_is_part_of_it() -> None:
    """What a flag is called decides nothing of how an entry is read."""
    flag = FlagFact(name="automated", enabled=True, reason="on", variant="xevaluated_us\u03c9123456789")
    data = plain(flags=replace(FLAGS, answers=(flag,)))
    alike = Beginnings().of(data)
    assert alike is not None
    own = alike.own(data)
    assert own is not None
    assert whole(alike.entry, own) == decode(data)


def test_only_so_many_beginnings_are_remembered() -> None:
    """The latest; one that was forgotten is met anew."""
    beginnings = Beginnings()
    cast = [plain(flags=replace(FLAGS, revision=revision)) for revision in range(1, KNOWN_MAX + 2)]
    met = [beginnings.of(data) for data in cast]
    assert beginnings.of(cast[-2]) is met[-2]
    assert beginnings.of(cast[0]) not in met
