"""Carries out one row of the table of life: the next state, a higher version, and exactly one event."""

from typing import Any

import msgspec

from gateway.store.events import append_event
from gateway.store.ledger import WriteSession
from gateway.store.schema.work import ClosedReason
from review.desk.life import Action, Round, event_of, next_state
from review.store.cases import Case, save_case

WORKER = "worker"
ESCALATED = 0
"""The priority of a case that waits for a lead."""


async def advance(
    w: WriteSession,
    case: Case,
    action: Action,
    round_: Round | None = None,
    *,
    by: str,
    at_us: int,
    changed: Case | None = None,
    closed: ClosedReason | None = None,
    **data: Any,
) -> Case:
    """The case after the action, saved and told; `changed` carries what the action changes beside the state.

    Raises: WrongState when the table has no such row, StaleCase when somebody changed the case meanwhile.
    """
    state = next_state(case.state, action, round_)
    after = msgspec.structs.replace(changed or case, state=state, changed_us=at_us, closed_reason=closed)
    if state == "adjudicating":
        after = msgspec.structs.replace(after, priority=ESCALATED)
    saved = await save_case(w, case, after)
    told: dict[str, Any] = {
        "from": case.state,
        "to": state,
        "version": saved.version,
        "round": saved.round,
        "kind": case.kind,
    }
    if closed is not None:
        told["reason"] = closed
    await append_event(
        w, event_of(action, state), f"case:{case.id}", told | data, by=by, tenant_id=case.tenant_id, at_us=at_us
    )
    return saved
