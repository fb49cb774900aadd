"""The columns of sealed entries, the same for a Parquet file and for a segment that is read while still open.

Times are microseconds UTC, ids and digests text. `entry` holds the entry itself as it stood in the log, so nothing is
lost by sealing; the other columns are for counting and for tools that know nothing of Lockgate.
"""

import pyarrow as pa

from gateway.record.entries import EntryKind

_TEXT, _INT, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

FLAG_FACT = pa.struct({"name": _TEXT, "enabled": _FLAG, "reason": _TEXT, "variant": _TEXT})
ITEM = pa.struct(
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
STAGES = ("decode_us", "flags_us", "decide_us", "queue_us", "run_us", "settle_us")

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
        "flags": pa.list_(FLAG_FACT),
        "items": pa.list_(ITEM),
        "answers": pa.list_(_TEXT),
        "unfit": pa.list_(_TEXT),
        "item_count": _INT,
        "held_count": _INT,
        "audited_count": _INT,
    }
    | dict.fromkeys(STAGES, _INT)
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
