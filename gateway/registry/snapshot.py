"""The local snapshot of a gateway's plan, from which it boots while the ledger is away.

A snapshot is a file of its own process, written whole or not at all; it holds hashes of keys, never keys.
"""

from pathlib import Path

import msgspec

from flags.store import StoredState
from gateway.plan import Caller, ModelPlan, Plan, PrecedentPlan
from gateway.registry.local_file import read_whole, write_whole


class _Model(msgspec.Struct, frozen=True, kw_only=True):
    plan: ModelPlan
    precedents: list[tuple[str, str, PrecedentPlan]]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A plan and the flags in force with it, known to be the latest at `known_us`."""

    revision: int
    known_us: int
    models: list[_Model]
    callers: list[tuple[bytes, Caller]]
    flags: StoredState | None

    @classmethod
    def of(cls, plan: Plan, flags: StoredState | None, known_us: int) -> "Snapshot":
        """The snapshot of a plan."""
        return cls(
            revision=plan.revision,
            known_us=known_us,
            models=[_flat(model) for model in plan.models.values()],
            callers=list(plan.callers.items()),
            flags=flags,
        )

    def plan(self) -> Plan:
        """The plan that was kept."""
        models = [_whole(model) for model in self.models]
        return Plan(
            revision=self.revision,
            models={(model.tenant_id, model.name): model for model in models},
            callers=dict(self.callers),
        )


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Put the snapshot in place of the one before. Raises: OSError."""
    write_whole(path, snapshot)


def read_snapshot(path: Path) -> Snapshot | None:
    """The snapshot in a file; None when there is none that this version can read."""
    return read_whole(path, Snapshot)


def _flat(model: ModelPlan) -> _Model:
    """The model with its precedents as a list, because their keys are pairs."""
    precedents = [(schema, digest, found) for (schema, digest), found in model.precedents.items()]
    return _Model(plan=msgspec.structs.replace(model, precedents={}), precedents=precedents)


def _whole(kept: _Model) -> ModelPlan:
    precedents = {(schema, digest): found for schema, digest, found in kept.precedents}
    return msgspec.structs.replace(kept.plan, precedents=precedents)
