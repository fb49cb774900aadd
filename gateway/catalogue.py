"""What is served, in the words of the protocol: the server, its models, their readiness, configuration and figures.

What serves is decided by releases, not by loading: `load` is an operator's recorded question whether a model is there,
and an unload is refused, because a model that answers is stopped by a halt and changed by a promotion or a rollback.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from gateway.errors import BadRequest, Conflict, Forbidden, ModelNotReady
from gateway.live import Live
from gateway.plan import Caller, ModelPlan
from gateway.protocol.signature import Signature, TensorSpec
from gateway.statistics import STATISTICS, ModelStatistics
from gateway.store.events import append_event
from gateway.store.keys import operates
from gateway.store.ledger import Ledger

EXTENSIONS = ("review", "model_repository", "binary_tensor_data", "statistics", "model_configuration")
OPERATE = "operate"


class LoadingRefused(BadRequest):
    """The parameter '{parameter}' is refused: what serves comes from a release, never from a request."""

    code = "loading-refused"


class ChampionStays(Conflict):
    """'{release}' is the champion of '{model}' and is not unloaded; halt the model, or promote another release."""

    code = "champion-stays"


class ServerMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What this server is."""

    name: str
    version: str
    extensions: tuple[str, ...]


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A model's signature; -1 is a variable dimension."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the repository."""

    name: str
    version: str
    state: str
    reason: str


class ConfiguredTensor(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output; -1 is a variable dimension."""

    name: str
    data_type: str
    dims: tuple[int, ...]


class ModelConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """A model as Triton's configuration describes one; `max_batch_size` 0 says that shapes hold the batch axis."""

    name: str
    platform: str
    backend: str
    version_policy: dict[str, dict[str, tuple[int, ...]]]
    max_batch_size: int
    input: tuple[ConfiguredTensor, ...]
    output: tuple[ConfiguredTensor, ...]


def server_metadata(live: Live) -> ServerMetadata:
    """What this server is, and which extensions of the protocol it speaks."""
    return ServerMetadata(name="lockgate", version=live.version, extensions=EXTENSIONS)


def model_metadata(live: Live, caller: Caller, model: str, version: str | None) -> ModelMetadata:
    """The signature of a model. Raises: NotFound, ModelNotReady."""
    plan = live.readable(caller, model, version)
    signature = _signature(live, plan)
    return ModelMetadata(
        name=plan.name,
        versions=(str(plan.champion.version),),
        platform=signature.platform,
        inputs=(*signature.inputs, *_beside(plan)),
        outputs=signature.outputs,
    )


def require_ready(live: Live, caller: Caller, model: str, version: str | None) -> None:
    """Return if the model's session is open. Raises: NotFound, ModelNotReady."""
    if not live.plan.is_ready(live.readable(caller, model, version).champion):
        raise ModelNotReady(model=model)


def repository_index(live: Live, caller: Caller, *, only_ready: bool) -> list[IndexEntry]:
    """The models that this key may use, by name."""
    entries = [_entry(live, plan) for plan in live.readable_models(caller)]
    return [entry for entry in entries if entry.state == "READY" or not only_ready]


def statistics_of_all(live: Live, caller: Caller) -> list[ModelStatistics]:
    """What this process answered with the models that this key may use, since it began."""
    return [each for model in live.readable_models(caller) for each in STATISTICS.of(model)]


def statistics_of(live: Live, caller: Caller, model: str, version: str | None) -> list[ModelStatistics]:
    """What this process answered with a model, or one version of it, since it began. Raises: NotFound."""
    found = STATISTICS.of(live.readable(caller, model, None))
    wanted = [each for each in found if version in (None, each.version)]
    if not wanted:
        live.readable(caller, model, version)  # raises UnknownVersion
    return wanted


def configuration_of(live: Live, caller: Caller, model: str, version: str | None) -> ModelConfiguration:
    """A model's inputs and outputs in Triton's words. Raises: NotFound, ModelNotReady."""
    plan = live.readable(caller, model, version)
    signature = _signature(live, plan)
    return ModelConfiguration(
        name=plan.name,
        platform=signature.platform,
        backend="onnxruntime",
        version_policy={"specific": {"versions": (plan.champion.version,)}},
        max_batch_size=0,
        input=tuple(map(_configured, signature.inputs)),
        output=tuple(map(_configured, signature.outputs)),
    )


async def load(ledger: Ledger, live: Live, caller: Caller, model: str, parameters: Iterable[str]) -> None:
    """Return if the model's champion is there; that it was asked is recorded either way.

    Raises: Forbidden, UnknownModel, LoadingRefused, ModelNotReady, LedgerUnavailable.
    """
    plan = await _operated(ledger, live, caller, model)
    if parameter := next(iter(parameters), None):
        raise LoadingRefused(parameter=parameter[:40])
    await _record_asked(ledger, caller, plan, "load")
    if not live.plan.is_ready(plan.champion):
        raise ModelNotReady(model=model)


async def unload(ledger: Ledger, live: Live, caller: Caller, model: str) -> None:
    """Never returns: a model that is served has a champion; that it was asked is recorded.

    Raises: Forbidden, UnknownModel, ChampionStays, LedgerUnavailable.
    """
    plan = await _operated(ledger, live, caller, model)
    await _record_asked(ledger, caller, plan, "unload")
    raise ChampionStays(model=model, release=plan.champion.name)


async def _operated(ledger: Ledger, live: Live, caller: Caller, model: str) -> ModelPlan:
    """The model, for a caller who operates it. Raises: Forbidden, UnknownModel, LedgerUnavailable."""
    plan = live.plan.model(caller.tenant_id, model)
    async with ledger.reading() as r:
        if not await operates(r, caller, plan.id):
            raise Forbidden(scope=OPERATE)
    return plan


async def _record_asked(ledger: Ledger, caller: Caller, plan: ModelPlan, step: Literal["load", "unload"]) -> None:
    """Say in the audit trail who asked for a step."""
    async with ledger.writing() as w:
        await append_event(
            w,
            f"model.{step}_asked",
            f"model:{plan.name}",
            {"model": plan.name, "release": plan.champion.name},
            by=f"key:{caller.key_name}",
            tenant_id=caller.tenant_id,
            at_us=await w.now_us(),
        )


def _signature(live: Live, plan: ModelPlan) -> Signature:
    """As admission saw it, which counts more than what a file declares; of a model that runs elsewhere, as it tells."""
    opened = live.plan.live(plan.champion).session.signature
    return plan.champion.signature or opened


def _beside(plan: ModelPlan) -> tuple[TensorSpec, ...]:
    """Inputs that are only shown to people are listed too: callers may send them."""
    shown = [each for each in plan.champion.card.shown if each.beside]
    return tuple(TensorSpec(name=each.input, datatype=each.datatype, shape=(-1,)) for each in shown)  # type: ignore[arg-type]


def _entry(live: Live, plan: ModelPlan) -> IndexEntry:
    ready = live.plan.is_ready(plan.champion)
    return IndexEntry(
        name=plan.name,
        version=str(plan.champion.version),
        state="READY" if ready else "UNAVAILABLE",
        reason="" if ready else "the model file could not be loaded",
    )


def _configured(spec: TensorSpec) -> ConfiguredTensor:
    kind = "STRING" if spec.datatype == "BYTES" else spec.datatype
    return ConfiguredTensor(name=spec.name, data_type=f"TYPE_{kind}", dims=spec.shape)
