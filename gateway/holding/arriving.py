"""Truth that arrives later: what a service says was right, and what becomes of each thing that it says."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from gateway.labels import Answer

ENTRIES_MAX = 100
"""How many outcomes one request may bring."""
Became = Literal[
    "recorded", "already-known", "conflict", "unknown-prediction", "ambiguous-request", "unknown-item",
    "invalid-answer", "gone",
]  # fmt: skip


class ArrivedTruth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was right about one item; the prediction is named by its id or by the `id` of the caller's own request."""

    prediction_id: UUID | None = None
    request_id: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]+$")] | None = None
    item: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    answer: Answer
    source: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,63}\Z", description="Who learned it: chargeback, lab …")]


class ArrivedTruths(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One truth or many; each is recorded or refused on its own."""

    outcomes: Annotated[tuple[ArrivedTruth, ...], Meta(min_length=1, max_length=ENTRIES_MAX)]


class TruthReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one entry."""

    result: Became
    """`recorded`; `already-known`: this source had said so; `conflict`: recorded, and people had said otherwise; else
    nothing was recorded."""
    prediction_id: UUID | None = None
    item: int
    outcome_revision: int | None = None
    """The revision that was recorded, or that said so already."""
    truth: bool | None = None
    """Whether it is what `GET /v2/predictions/{id}` tells now; a lead's decision outranks it."""
    case_id: UUID | None = None
    """For a conflict: the case that people have about it."""
    detail: str | None = None
    """Why nothing was recorded."""


class TruthReceipts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each entry, in the order in which they came."""

    outcomes: tuple[TruthReceipt, ...]


class TruthBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The entries as a gateway passes them on: the caller's key has the scope for this model."""

    tenant_id: UUID
    model: str
    by: str
    entries: tuple[ArrivedTruth, ...]
