"""The columns of sealed entries, the same for a Parquet file and for a segment that is read while still open.

Times are microseconds UTC, ids and digests text. `entry` holds the entry itself as it stood in the log, so nothing is
lost by sealing; the other columns are for counting and for tools that know nothing of Lockgate.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import pyarrow as pa

from gateway.ids import id_time_us
from gateway.record.codec import encode
from gateway.record.entries import Decided, Delivered, Entry, EntryKind, ItemFacts, Refused, Shadowed
from gateway.record.reader import Recorded

BATCH_ROWS = 2000
_TEXT, _INT, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_FLAG_FACT = pa.struct({"name": _TEXT, "enabled": _FLAG, "reason": _TEXT, "variant": _TEXT})
_ITEM = pa.struct(
    {
        "score": _REAL,
        "held": _FLAG,
        "rule": _TEXT,
        "audited": _FLAG,
        "audit_probability": _REAL,
        "audit_draw": _REAL,
        "inclusion": pa.map_(_TEXT, _REAL),
        "evidence": pa.map_(_TEXT, _REAL),
    }
)
_COMMON = {
    "at_us": _INT,
    "process": _TEXT,
    "prediction": _TEXT,
    "tenant": _TEXT,
    "model": _TEXT,
    "release": _TEXT,
    "segment": _TEXT,
    "offset": _INT,
    "folded": _TEXT,
    "entry": pa.binary(),
}
_STAGES = ("decode_us", "flags_us", "decide_us", "queue_us", "run_us", "settle_us")

DECIDED = pa.schema(
    _COMMON
    | {
        "shadow_release": _TEXT,
        "path": _TEXT,
        "decided_path": _TEXT,
        "rule": _TEXT,
        "decided_rule": _TEXT,
        "public_rule": _TEXT,
        "api_key": _TEXT,
        "request_id": _TEXT,
        "input_digest": _TEXT,
        "output_digest": _TEXT,
        "flag_state": _TEXT,
        "flag_revision": _INT,
        "asked": _FLAG,
        "evaluated_us": _INT,
        "stickiness": _TEXT,
        "sticky_field": _TEXT,
        "environment": _TEXT,
        "context": pa.map_(_TEXT, _TEXT),
        "unread": pa.list_(_TEXT),
        "flags": pa.list_(_FLAG_FACT),
        "items": pa.list_(_ITEM),
        "answers": pa.list_(_TEXT),
        "unfit": pa.list_(_TEXT),
        "item_count": _INT,
        "held_count": _INT,
        "audited_count": _INT,
    }
    | dict.fromkeys(_STAGES, _INT)
)
SHADOWED = pa.schema(
    _COMMON
    | {
        "shadow_release": _TEXT,
        "status": _TEXT,
        "reason": _TEXT,
        "differing": pa.list_(_INT),
        "item_count": _INT,
        "inclusion_probability": _REAL,
        "output_digest": _TEXT,
        "run_us": _INT,
        "trial": _TEXT,
        "differing_count": _INT,
    }
)
DELIVERED = pa.schema(
    _COMMON
    | {
        "delivery": _TEXT,
        "n": _INT,
        "status": _INT,
        "response_digest": _TEXT,
        "outcome_revision": _INT,
        "waited_us": _INT,
        "review_status": _TEXT,
    }
)
REFUSED = pa.schema(_COMMON | {"api_key": _TEXT, "code": _TEXT, "status": _INT})
SCHEMAS: dict[EntryKind, pa.Schema] = {
    "decided": DECIDED,
    "shadowed": SHADOWED,
    "delivered": DELIVERED,
    "refused": REFUSED,
}


def batches(recorded: Iterable[Recorded], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The entries, all of the schema's kind, as record batches of at most BATCH_ROWS rows."""
    entries = iter(recorded)
    while rows := [_row(found) for found in islice(entries, BATCH_ROWS)]:
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def span_us(entry: Entry) -> tuple[int, int]:
    """From when to when the entry and its prediction lie."""
    made_us = id_time_us(entry.prediction)
    return min(made_us, entry.at_us), max(made_us, entry.at_us)


def _row(recorded: Recorded) -> dict[str, object]:
    entry = recorded.entry
    row = _common(recorded)
    if isinstance(entry, Decided):
        return row | _decided(entry)
    if isinstance(entry, Shadowed):
        return row | _shadowed(entry)
    return row | (_delivered(entry) if isinstance(entry, Delivered) else _refused(entry))


def _common(recorded: Recorded) -> dict[str, object]:
    entry = recorded.entry
    return {
        "at_us": entry.at_us,
        "process": entry.process,
        "prediction": str(entry.prediction),
        "tenant": str(entry.tenant),
        "model": entry.model,
        "release": entry.release,
        "segment": recorded.position.segment,
        "offset": recorded.position.offset,
        "folded": entry.folded.sha256 if entry.folded else None,
        "entry": encode(entry),
    }


def _decided(entry: Decided) -> dict[str, object]:
    return {
        "shadow_release": entry.shadow_release,
        "path": entry.path,
        "decided_path": entry.decided_path,
        "rule": entry.rule,
        "decided_rule": entry.decided_rule,
        "public_rule": entry.public_rule,
        "api_key": str(entry.api_key),
        "request_id": entry.request_id,
        "input_digest": entry.input_digest,
        "output_digest": entry.output_digest,
        "asked": entry.asked,
        "items": [_item(item) for item in entry.items],
        "answers": [None if item.answer is None else str(item.answer) for item in entry.items],
        "unfit": [item.unfit for item in entry.items],
        "item_count": entry.item_count,
        "held_count": entry.held_count,
        "audited_count": entry.audited_count,
        **_flags(entry),
        **{stage: getattr(entry.stages, stage) for stage in _STAGES},
    }


def _flags(entry: Decided) -> dict[str, object]:
    """What the flags said and what they were asked with; a folded entry keeps the latter in its object."""
    facts = entry.flags
    answers = [msgspec.structs.asdict(flag) for flag in facts.answers]
    found: dict[str, object] = {"flag_state": facts.state, "evaluated_us": facts.evaluated_us, "flags": answers}
    found["flag_revision"] = facts.revision or None
    if entry.folded is not None:
        return found
    return found | {
        "stickiness": facts.stickiness or entry.input_digest,
        "sticky_field": facts.sticky_field or ("sessionId" if facts.stickiness else ""),
        "environment": facts.environment,
        "context": [(field.name, field.value) for field in facts.context],
        "unread": facts.unread,
    }


def _item(item: ItemFacts) -> dict[str, object]:
    return {
        "score": item.score,
        "held": item.held,
        "rule": item.rule,
        "audited": item.audited,
        "audit_probability": item.audit_probability,
        "audit_draw": item.audit_draw,
        "inclusion": [(each.kind, each.probability) for each in item.inclusion],
        "evidence": [(each.name, each.value) for each in item.evidence],
    }


def _shadowed(entry: Shadowed) -> dict[str, object]:
    return {
        "shadow_release": entry.shadow_release,
        "status": entry.status,
        "reason": entry.reason,
        "differing": entry.differing,
        "item_count": entry.item_count,
        "inclusion_probability": entry.inclusion_probability,
        "output_digest": entry.output_digest,
        "run_us": entry.run_us,
        "trial": str(entry.trial) if entry.trial else None,
        "differing_count": entry.differing_count,
    }


def _delivered(entry: Delivered) -> dict[str, object]:
    return {
        "delivery": entry.delivery,
        "n": entry.n,
        "status": entry.status,
        "response_digest": entry.response_digest,
        "outcome_revision": entry.outcome_revision,
        "waited_us": entry.waited_us,
        "review_status": entry.review_status,
    }


def _refused(entry: Refused) -> dict[str, object]:
    return {"api_key": str(entry.api_key), "code": entry.code, "status": entry.status}
