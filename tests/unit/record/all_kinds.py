"""The bytes of entries of every kind that there is, and of every way in which they come to the log."""

import msgspec
from msgspec.structs import replace

from gateway.ids import new_id
from gateway.record.codec import encode, fold
from gateway.record.entries import ContextField, Entry, FlagFacts, Inclusion, ItemFacts, Number
from tests.unit.record.casts import BESIDE, FLAGS, beside, plain
from tests.unit.record.samples import decided, delivered, refused, shadowed


def folded(entry: Entry) -> bytes:
    """The head of an entry."""
    return encode(fold(entry, encode(entry)))


def older(entry: Entry) -> bytes:
    """A decided entry of a time when items said neither an answer nor what makes them unfit."""
    fields = msgspec.msgpack.decode(encode(entry))
    return msgspec.msgpack.encode(fields | {"items": [item[:8] for item in fields["items"]], "stages": [1, 2]})


NUMBERED = ItemFacts(
    score=None, held=False, rule="no_score", answer=2.5, unfit="too_long", audited=True,
    inclusion=(Inclusion("audit", 0.1), Inclusion("report", 1.0)), evidence=(Number("a", float("inf")),),
)  # fmt: skip
ANONYMOUS = FlagFacts(state=None, context=(ContextField("plan", "π"), ContextField("", "")), unread=("age", "city"))
ALL_KINDS: dict[str, bytes] = {
    "decided": encode(decided()),
    "held": encode(decided(path="review", items=4)),
    "without items": encode(decided(items=0)),
    "with numbers for answers": encode(replace(decided(), items=(NUMBERED, NUMBERED), asked=True)),
    "of nobody": encode(replace(decided(request_id=None), flags=ANONYMOUS)),
    "older": older(decided(items=2)),
    "folded": folded(decided(path="review", items=300)),
    "of a later release": msgspec.msgpack.encode(msgspec.msgpack.decode(encode(decided())) | {"mood": "sunny"}),
    "plain": plain(),
    "plain, with an id": plain(request_id="r-9", items=3),
    "plain, without items": plain(items=0),
    "plain, other flags": plain(flags=replace(FLAGS, state=None, revision=0)),
    "plain, beside a run": plain(decision=BESIDE),
    "plain, in another order": encode(replace(decided(), plain=True)),
    "a run": encode(shadowed(new_id())),
    "a run that differs in much": folded(replace(shadowed(new_id()), differing=tuple(range(1, 2000)))),
    "a run in a mould": beside(),
    "a run in a mould that differs": beside(differing=(1, 2), draws=(0.4, 1.0), answers=("negative", None)),
    "a run in a mould that was dropped": beside(status="dropped", reason="full", output_digest=None, run_us=0),
    "delivered": encode(delivered(new_id())),
    "delivered, folded": folded(replace(delivered(new_id()), review_status="x" * 500)),
    "refused": encode(refused()),
}
