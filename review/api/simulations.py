"""Simulations under `/api/v1/models/{model}/simulations`: what a change would have done to recorded traffic."""

from uuid import UUID

from litestar import Controller, get, post

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.simulation.report import Report
from review.simulation.simulations import (
    Asked,
    SimulationShown,
    ask_simulation,
    cancel_simulation,
    list_simulations,
    read_simulation,
    show_simulation,
)


class SimulationsController(Controller):
    """Simulations."""

    path = "/api/v1"
    tags = ("simulations",)

    @post("/models/{model:str}/simulations", status_code=202, **needs("operate"))
    async def simulate(self, model: str, data: Asked, ledger: Ledger, actor: Actor) -> SimulationShown:
        """Simulate a change of flags and policy over recorded traffic, as a job; answers at once."""
        return await ask_simulation(ledger, actor, model, data)

    @get("/models/{model:str}/simulations", **needs("inspect"))
    async def list_all(self, model: str, ledger: Ledger, actor: Actor) -> list[SimulationShown]:
        """A model's simulations, the newest first."""
        async with ledger.reading() as r:
            return await list_simulations(r, actor.tenant_id, model)

    @get("/simulations/{simulation_id:uuid}", **needs("inspect"))
    async def show(self, simulation_id: UUID, ledger: Ledger, actor: Actor) -> SimulationShown:
        """A simulation: what was asked, how far it is, and its main figures."""
        async with ledger.reading() as r:
            return await show_simulation(r, actor.tenant_id, simulation_id)

    @get("/simulations/{simulation_id:uuid}/report", **needs("inspect"))
    async def report(self, simulation_id: UUID, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Report:
        """The report of a simulation, with all of its figures."""
        async with ledger.reading() as r:
            return await read_simulation(r, LocalObjects(settings.artifacts), actor.tenant_id, simulation_id)

    @post("/simulations/{simulation_id:uuid}/cancel", status_code=200, **needs("operate"))
    async def cancel(self, simulation_id: UUID, ledger: Ledger, actor: Actor) -> SimulationShown:
        """Cancel a simulation that is not over."""
        return await cancel_simulation(ledger, actor, simulation_id)
