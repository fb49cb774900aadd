"""Simulations in the console: a form that proposes a change, its progress, and the result with its plots."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from flags.errors import FlagsError
from flags.names import Kind
from gateway.errors import GatewayError
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from gateway.times import after_us, now_us
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.console.pages import Asked, has, page
from review.console.plots import error_bars, hours_plot, path_parts
from review.errors import ReviewError
from review.served import show_model
from review.simulation.errors import ProposalRefused
from review.simulation.report import Report
from review.simulation.simulations import Asked as AskedSimulation
from review.simulation.simulations import (
    SimulationShown,
    ask_simulation,
    cancel_simulation,
    list_simulations,
    read_simulation,
    show_simulation,
)

Form = Body(media_type=RequestEncodingType.URL_ENCODED)
DAY_S = 86_400.0
WINDOWS = {"1": "the last day", "7": "the last seven days", "30": "the last thirty days"}
Fault = ReviewError | GatewayError | FlagsError
FAULTS = (ReviewError, GatewayError, FlagsError)


class ProposalForm(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as the form has it; what is empty stays as it is."""

    automated: str = ""
    automated_rollout: str = ""
    shadow: str = ""
    shadow_rollout: str = ""
    candidate: str = ""
    candidate_rollout: str = ""
    hold_below: str = ""
    audit_rate: str = ""
    days: str = "7"
    why: str = ""
    csrf_token: str = ""


class SimulationsPages(Controller):
    """Simulations."""

    path = "/"
    include_in_schema = False

    @get("/models/{name:str}/simulations", **needs("inspect"))
    async def show_all(self, request: Asked, ledger: Ledger, name: str) -> Response[str]:
        """The form, and every simulation of a model, the newest first."""
        return await _list_page(request, ledger, name, ProposalForm())

    @post("/models/{name:str}/simulations", status_code=200, **needs("operate"))
    async def simulate(
        self, request: Asked, ledger: Ledger, actor: Actor, name: str, data: Annotated[ProposalForm, Form]
    ) -> Response[Any]:
        """Simulate what the form proposes."""
        try:
            shown = await ask_simulation(ledger, actor, name, asked_of(data, now_us()))
        except FAULTS as error:
            return await _list_page(request, ledger, name, data, error)
        return Redirect(f"/console/simulations/{shown.id}", status_code=303)

    @get("/simulations/{simulation_id:uuid}", **needs("inspect"))
    async def show(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, simulation_id: UUID, against: UUID | None = None
    ) -> Response[str]:
        """A simulation: how far it is, or its result, perhaps beside another one."""
        return await _result_page(request, ledger, LocalObjects(settings.artifacts), simulation_id, against)

    @post("/simulations/{simulation_id:uuid}/cancel", status_code=200, **needs("operate"))
    async def cancel(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, simulation_id: UUID
    ) -> Response[Any]:
        """Cancel a simulation."""
        try:
            await cancel_simulation(ledger, actor, simulation_id)
        except ReviewError as error:
            artifacts = LocalObjects(settings.artifacts)
            return await _result_page(request, ledger, artifacts, simulation_id, None, error)
        return Redirect(f"/console/simulations/{simulation_id}", status_code=303)


def asked_of(form: ProposalForm, now: int) -> AskedSimulation:
    """What a form asks for. Raises: ProposalRefused."""
    settings: list[str] = []
    for kind in Kind:
        switched, reach = getattr(form, kind.value), getattr(form, f"{kind.value}_rollout").strip()
        settings += [f"{kind.value}={switched}"] if switched else []
        settings += [f"{kind.value}.rollout={reach}"] if reach else []
    numbers = {name: getattr(form, name).strip() for name in ("hold_below", "audit_rate")}
    policy: dict[str, object] = {name: _number(name, text) for name, text in numbers.items() if text}
    days = form.days if form.days in WINDOWS else "7"
    return AskedSimulation(
        settings=tuple(settings), policy=policy, since_us=after_us(now, -int(days) * DAY_S), until_us=now, why=form.why
    )


def _number(name: str, text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise ProposalRefused(fault=f"{name}: '{text[:20]}' is no number.") from error


async def _list_page(
    request: Asked, ledger: Ledger, name: str, form: ProposalForm, error: Fault | None = None
) -> Response[str]:
    tenant_id = request.user.tenant_id
    async with ledger.reading() as r:
        model = await show_model(r, tenant_id, name)
        simulations = await list_simulations(r, tenant_id, name)
    return page(
        "simulations.html",
        request,
        status=error.status if error is not None else 200,
        model=model,
        served=model.served,
        simulations=simulations,
        form=form,
        windows=WINDOWS,
        may_operate=has(request.user, "operate"),
        fault=str(error or ""),
    )


async def _result_page(
    request: Asked,
    ledger: Ledger,
    artifacts: LocalObjects,
    simulation_id: UUID,
    against: UUID | None,
    error: ReviewError | None = None,
) -> Response[str]:
    tenant_id = request.user.tenant_id
    async with ledger.reading() as r:
        shown = await show_simulation(r, tenant_id, simulation_id)
        report = await _report(r, artifacts, tenant_id, shown)
        other = await read_simulation(r, artifacts, tenant_id, against) if against is not None else None
        others = await list_simulations(r, tenant_id, shown.model)
    return page(
        "simulation.html",
        request,
        status=error.status if error is not None else 200,
        shown=shown,
        job=shown,
        report=report,
        other=other,
        against=against,
        others=[one for one in others if one.result is not None and one.id != shown.id],
        plot=hours_plot(report, other) if report is not None else None,
        bars=error_bars(report) if report is not None else [],
        path_parts=path_parts,
        goes_on=shown.state in {"waiting", "running"},
        may_operate=has(request.user, "operate"),
        fault=str(error or ""),
    )


async def _report(r: Any, artifacts: LocalObjects, tenant_id: UUID, shown: SimulationShown) -> Report | None:
    return await read_simulation(r, artifacts, tenant_id, shown.id) if shown.result is not None else None
