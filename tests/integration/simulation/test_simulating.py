"""Simulations on both databases: from the traffic log and the ledger to a report, by one process or by several."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from flags.definitions import with_model_flags
from flags.embedded import EmbeddedFlags
from flags.store import Authorship
from gateway.ids import new_id
from gateway.record.entries import Decided, FlagFacts, ItemFacts
from gateway.record.payloads import LocalObjects
from gateway.store.events import events_about
from gateway.store.flags import LedgerFlagStore, current_state
from gateway.store.segments import LedgerSegments
from review.actors import Actor
from review.learning.errors import JobOver
from review.simulation.errors import SimulationNotDone, SimulationOfOther, UnknownSimulation
from review.simulation.report import Report
from review.simulation.simulating import SimulateTask, simulate
from review.simulation.simulations import (
    Asked,
    ask_simulation,
    cancel_simulation,
    list_simulations,
    read_simulation,
    require_about,
)
from review.store.jobs import begin_job, end_job, find_job
from review.traffic.seal import Sealer
from tests.integration.learning.conftest import MODEL, Learning, learning, open_learning
from tests.integration.record.scene import committed, record
from tests.integration.release.scene import operator_of
from tests.outcomes import Settled, numbers
from tests.worlds import START_US

__all__ = ["learning"]
DAY_US = 86_400_000_000
ON = Asked(settings=("automated=on",), policy={"hold_below": 0.6, "audit_rate": 0.5}, since_us=START_US - DAY_US)


def operator(learning: Learning) -> Actor:
    """Somebody who may operate the model."""
    return operator_of(learning.scene.tenant_id, "olga")


async def recorded(learning: Learning, ids: Sequence[UUID | str], scores: Sequence[float]) -> list[Decided]:
    """The entries of requests that were held because `automated` was off."""
    async with learning.ledger.reading() as r:
        state = (await current_state(r)).digest
    return [
        Decided(
            at_us=START_US, process="test", prediction=UUID(str(id_)), tenant=learning.scene.tenant_id, model=MODEL,
            release=f"{MODEL}@1", path="review", decided_path="review", rule="automated_off",
            decided_rule="automated_off", public_rule="review_on", api_key=learning.where.key_id,
            input_digest="a" * 64, output_digest="b" * 64, asked=False,
            items=(ItemFacts(score=score, held=True, rule="automated_off", answer="abc"[place % 3], unfit=""),),
            flags=FlagFacts(state=state, evaluated_us=START_US),
        )
        for place, (id_, score) in enumerate(zip(ids, scores, strict=True))
    ]  # fmt: skip


async def run(learning: Learning, simulation_id: UUID, traffic: Path, **more: int) -> Report:
    """Do a simulation as the worker's child does, and end its job as the worker does; its report."""
    artifacts = learning.scene.artifacts.directory.root
    task = SimulateTask(
        ledger_url=learning.url, traffic=str(traffic), artifacts=str(artifacts), tenant_id=learning.scene.tenant_id,
        job_id=simulation_id,
    )  # fmt: skip
    async with learning.ledger.writing() as w:
        job = await find_job(w, learning.scene.tenant_id, simulation_id)
        assert job is not None
        await begin_job(w, simulation_id, job.args, START_US)
    result = await simulate(learning.ledger, task, **more)
    async with learning.ledger.writing() as w:
        await end_job(w, simulation_id, "done", START_US, result=msgspec.json.encode(result).decode(), progress=1.0)
    async with learning.ledger.reading() as r:
        return await read_simulation(r, LocalObjects(artifacts), learning.scene.tenant_id, simulation_id)


async def ten_of_which_people_know_six(learning: Learning, traffic: Path) -> None:
    """Ten recorded requests, scores from 0.05 to 0.95; people settled the first six, of which the odd are wrong."""
    scores = [0.05 + place / 10 for place in range(10)]
    settled = [
        Settled(inputs=numbers([place, 0, 0, 0]), answers=("a",), said=("b" if place % 2 else "a",), scores=(score,))
        for place, score in enumerate(scores[:6])
    ]
    ids = [*await learning.settle(*settled), *(new_id() for _ in range(4))]
    await record(traffic, await recorded(learning, ids, scores))


async def test_a_report_tells_what_would_change_and_what_people_would_find(learning: Learning, tmp_path: Path) -> None:
    """Counts, load and expected errors come from the log and the ledger; it is listed, and a change may name it."""
    traffic = tmp_path / "traffic"
    await ten_of_which_people_know_six(learning, traffic)
    asked = await ask_simulation(learning.ledger, operator(learning), MODEL, ON)
    assert asked.state == "waiting"
    async with learning.ledger.reading() as r:
        with pytest.raises(SimulationNotDone):
            await require_about(r, learning.scene.tenant_id, asked.id, MODEL)
    report = await run(learning, asked.id, traffic)
    assert report.unknown == ()
    assert [(one.rule_now, one.rule_then, one.requests) for one in report.changes] == [
        ("automated_off", "automated", 4.0), ("automated_off", "below_threshold", 6.0),
    ]  # fmt: skip
    assert (report.now.paths, report.then.paths) == ({"review": 10.0}, {"automated": 4.0, "review": 6.0})
    assert (report.now.load.cases_an_hour, report.then.load.cases_an_hour) == (10.0, 8.0)
    pace = report.people.pace
    assert pace is not None
    assert (report.people.reviewers, pace.active_s.value, pace.active_s.n) == (0, 2.5, 6)
    assert (report.then.load.overloaded, report.then.load.delay_s) == (True, None)
    caught = report.now.expected.caught.errors
    assert caught is not None
    assert (caught.value, caught.n) == (5.0, 6)  # three of six, of ten
    assert (report.then.expected.through.errors, report.then.expected.through.unknown_items) == (None, 4.0)
    assert (report.fidelity.requests, report.fidelity.as_recorded) == (10, 10)
    assert [(one.tenant, one.caller) for one in report.callers] == [("default", "shop")] * 2
    async with learning.ledger.reading() as r:
        listed = await list_simulations(r, learning.scene.tenant_id, MODEL)
        await require_about(r, learning.scene.tenant_id, asked.id, MODEL)
        with pytest.raises(SimulationOfOther):
            await require_about(r, learning.scene.tenant_id, asked.id, "other")
        with pytest.raises(UnknownSimulation):
            await require_about(r, learning.scene.tenant_id, new_id(), MODEL)
        told = [each.type for each in await events_about(r, f"model:{MODEL}")]
    assert next(one.state for one in listed if one.id == asked.id) == "done"
    assert "simulation.done" in told
    with pytest.raises(JobOver):
        await cancel_simulation(learning.ledger, operator(learning), asked.id)


async def test_several_processes_count_as_one_does(sqlite_ledger_url: str, tmp_path: Path) -> None:
    """Two sealed segments and an open one, counted in a pool, alone, and by half: each decision once, or as sampled."""
    traffic = tmp_path / "traffic"
    async with open_learning(sqlite_ledger_url, tmp_path) as learning:
        for _ in range(2):
            await record(traffic, await recorded(learning, [new_id() for _ in range(40)], [0.7] * 40))
        await Sealer(traffic, LedgerSegments(learning.ledger), committed(traffic)).run()
        await record(traffic, await recorded(learning, [new_id() for _ in range(20)], [0.7] * 20))
        asked = await ask_simulation(learning.ledger, operator(learning), MODEL, ON)
        together = await run(learning, asked.id, traffic, alone_below=0)
        assert together.then.paths == {"automated": 100.0}
        half = msgspec.structs.replace(ON, decisions_max=50)
        asked = await ask_simulation(learning.ledger, operator(learning), MODEL, half)
        sampled = await run(learning, asked.id, traffic)
        assert (sampled.keep, sampled.requests) == (0.5, 2.0 * sampled.read)
        assert 20 <= sampled.read <= 80


async def test_flags_that_no_store_would_take_can_be_proposed(learning: Learning, tmp_path: Path) -> None:
    """What an Unleash server sends has members that are not known here; proposed over the flags in force, it counts."""
    flags = EmbeddedFlags(LedgerFlagStore(learning.ledger, learning.scene.tenant_id))
    author = Authorship(by="person:olga@example.org", why="begin", at_us=START_US)
    await flags.change(lambda state: with_model_flags(state, MODEL), (f"{MODEL}.automated",), author)
    traffic = tmp_path / "traffic"
    await record(traffic, await recorded(learning, [new_id() for _ in range(4)], [0.9] * 4))
    strategy = {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "default", "future": "yes"}}
    fetched = {"name": f"{MODEL}.automated", "enabled": True, "strategies": [strategy], "impressionData": True}
    given: dict[str, object] = {"features": [fetched], "query": {"environment": "production"}}
    asked = await ask_simulation(
        learning.ledger, operator(learning), MODEL, msgspec.structs.replace(ON, settings=(), state=given)
    )
    assert (await run(learning, asked.id, traffic)).then.paths == {"automated": 4.0}
