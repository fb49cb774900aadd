"""Entries as rows, in two halves: what many entries have in common, and what is each one's own. Pure.

An entry that begins like others (`gateway.record.alike`) adds only its own; of one that was decoded whole the other
half is its own, too. `review.traffic.batches` makes columns of both.
"""

import msgspec
from msgspec import Struct

from gateway.record.alike import IdBytes, OwnDecided, OwnShadowed
from gateway.record.entries import Decided, Delivered, Entry, FlagFacts, Refused, Shadowed

Row = dict[str, object]


class OwnOther(Struct, kw_only=True):
    """What every entry has for itself."""

    at_us: int
    prediction: IdBytes


OwnFields = OwnDecided | OwnShadowed | OwnOther


def own_fields(entry: Entry) -> OwnFields:
    """What entries that begin alike would not have in common with this one."""
    at_us, prediction = entry.at_us, entry.prediction.bytes
    if isinstance(entry, Decided):
        return OwnDecided(
            at_us=at_us,
            evaluated_us=entry.flags.evaluated_us,
            prediction=prediction,
            api_key=entry.api_key.bytes,
            input_digest=entry.input_digest,
            output_digest=entry.output_digest,
            request_id=entry.request_id,
            items=entry.items,
            stages=msgspec.structs.astuple(entry.stages),
        )
    if isinstance(entry, Shadowed):
        return OwnShadowed(
            at_us=at_us,
            prediction=prediction,
            status=entry.status,
            reason=entry.reason,
            differing=entry.differing,
            item_count=entry.item_count,
            output_digest=entry.output_digest,
            run_us=entry.run_us,
        )
    return OwnOther(at_us=at_us, prediction=prediction)


def common_row(entry: Entry) -> Row:
    """The columns of what entries that begin alike have in common; of other kinds all but the first."""
    row: Row = {
        "process": entry.process,
        "tenant": str(entry.tenant),
        "model": entry.model,
        "release": entry.release,
        "folded": entry.folded.sha256 if entry.folded else None,
    }
    if isinstance(entry, Decided):
        return row | _decided(entry)
    if isinstance(entry, Shadowed):
        return row | _shadowed(entry)
    return row | (_delivered(entry) if isinstance(entry, Delivered) else _refused(entry))


def _decided(entry: Decided) -> Row:
    return {
        "shadow_release": entry.shadow_release,
        "path": entry.path,
        "decided_path": entry.decided_path,
        "rule": entry.rule,
        "decided_rule": entry.decided_rule,
        "public_rule": entry.public_rule,
        "asked": entry.asked,
        **_flags(entry.flags, folded=entry.folded is not None),
    }


def _flags(facts: FlagFacts, *, folded: bool) -> Row:
    """What the flags said and what they were asked with; a folded entry keeps the latter in its object."""
    found: Row = {
        "flag_state": facts.state,
        "flag_revision": facts.revision or None,
        "flags": [msgspec.structs.asdict(flag) for flag in facts.answers],
    }
    if folded:
        return found
    return found | {
        "stickiness": facts.stickiness or None,  # who named nobody sticks by the digest of the input
        "sticky_field": facts.sticky_field or ("sessionId" if facts.stickiness else ""),
        "environment": facts.environment,
        "context": [(field.name, field.value) for field in facts.context],
        "unread": facts.unread,
    }


def _shadowed(entry: Shadowed) -> Row:
    return {
        "shadow_release": entry.shadow_release,
        "inclusion_probability": entry.inclusion_probability,
        "trial": str(entry.trial) if entry.trial else None,
    }


def _delivered(entry: Delivered) -> Row:
    return {
        "delivery": entry.delivery,
        "n": entry.n,
        "status": entry.status,
        "response_digest": entry.response_digest,
        "outcome_revision": entry.outcome_revision,
        "waited_us": entry.waited_us,
        "review_status": entry.review_status,
    }


def _refused(entry: Refused) -> Row:
    return {"api_key": str(entry.api_key), "code": entry.code, "status": entry.status}
