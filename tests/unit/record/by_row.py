"""What each column says of an entry, one entry at a time and in the plainest way: the columns are held to it."""

from typing import Any

import msgspec

from gateway.ids import id_time_us
from gateway.record.codec import decode
from gateway.record.entries import Decided, Delivered, ItemFacts, Refused, Shadowed
from gateway.record.frames import Frame


def row_of(segment: str, found: Frame) -> dict[str, Any]:
    """The row of an entry."""
    entry = decode(found.data)
    common = {
        "at_us": entry.at_us,
        "process": entry.process,
        "prediction": str(entry.prediction),
        "tenant": str(entry.tenant),
        "model": entry.model,
        "release": entry.release,
        "segment": segment,
        "offset": found.start,
        "folded": entry.folded.sha256 if entry.folded else None,
        "entry": found.data,
    }
    if isinstance(entry, Decided):
        return common | _decided(entry)
    if isinstance(entry, Shadowed):
        return common | _shadowed(entry)
    return common | (_delivered(entry) if isinstance(entry, Delivered) else _refused(entry))


def span_us(found: Frame) -> tuple[int, int]:
    """From when to when an entry and its prediction lie."""
    entry = decode(found.data)
    made_us = id_time_us(entry.prediction)
    return min(made_us, entry.at_us), max(made_us, entry.at_us)


def _decided(entry: Decided) -> dict[str, Any]:
    same = ("shadow_release", "path", "decided_path", "rule", "decided_rule", "public_rule", "request_id",
            "input_digest", "output_digest", "asked", "item_count", "held_count", "audited_count")  # fmt: skip
    return {
        **{name: getattr(entry, name) for name in same},
        "api_key": str(entry.api_key),
        "items": [_item(item) for item in entry.items],
        "answers": [None if item.answer is None else str(item.answer) for item in entry.items],
        "unfit": [item.unfit for item in entry.items],
        **_flags(entry),
        **msgspec.structs.asdict(entry.stages),
    }


def _flags(entry: Decided) -> dict[str, Any]:
    facts, folded = entry.flags, entry.folded is not None
    sticky_field = facts.sticky_field or ("sessionId" if facts.stickiness else "")
    return {
        "flag_state": facts.state,
        "evaluated_us": facts.evaluated_us,
        "flags": [msgspec.structs.asdict(flag) for flag in facts.answers],
        "flag_revision": facts.revision or None,
        "stickiness": None if folded else facts.stickiness or entry.input_digest,
        "sticky_field": None if folded else sticky_field,
        "environment": None if folded else facts.environment,
        "context": None if folded else [(field.name, field.value) for field in facts.context],
        "unread": None if folded else list(facts.unread),
    }


def _item(item: ItemFacts) -> dict[str, Any]:
    same = ("score", "held", "rule", "audited", "audit_probability", "audit_draw")
    return {
        **{name: getattr(item, name) for name in same},
        "inclusion": [(each.kind, each.probability) for each in item.inclusion],
        "evidence": [(each.name, each.value) for each in item.evidence],
    }


def _shadowed(entry: Shadowed) -> dict[str, Any]:
    same = ("shadow_release", "status", "reason", "item_count", "inclusion_probability", "output_digest", "run_us",
            "differing_count")  # fmt: skip
    return {
        **{name: getattr(entry, name) for name in same},
        "differing": list(entry.differing),
        "trial": str(entry.trial) if entry.trial else None,
    }


def _delivered(entry: Delivered) -> dict[str, Any]:
    same = ("delivery", "n", "status", "response_digest", "outcome_revision", "waited_us", "review_status")
    return {name: getattr(entry, name) for name in same}


def _refused(entry: Refused) -> dict[str, Any]:
    return {"api_key": str(entry.api_key), "code": entry.code, "status": entry.status}
