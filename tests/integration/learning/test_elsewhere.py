"""A release on another server is evaluated like a file, all of it or nothing; the report says where it ran."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gateway.inference.upstreams import AllowedUpstreams
from gateway.store.models import known_model
from gateway.store.schema.learning import EvaluationRow
from review.console.report import report_html
from review.learning.child import in_child
from review.learning.errors import ElsewhereNotAsked
from review.learning.evaluating import EvaluateTask, evaluate
from review.learning.evaluations import read_evaluation
from review.learning.evidence import latest_evaluation
from review.learning.fresh import FreshDatasets
from review.learning.learned import trained_with
from review.learning.report import Evaluated, Report
from review.release.promotion import Promotion, promote
from review.store.evaluations import find_release
from tests.integration.bundle.scene import on_sqlite
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.learning.elsewhere import Said, Server, add_elsewhere, elsewhere, files_below
from tests.integration.learning.test_evaluating import add_candidate, expected, frozen, task
from tests.integration.release.scene import operator_of

FAILS: Said = (500, {}, b"a stack")
REFUSES: Said = (400, {}, b"too many rows")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that answers as it should."""
    async with elsewhere() as opened:
        yield opened


def asked(learning: Learning, server: Server, dataset: str, release: str = f"{MODEL}@2") -> EvaluateTask:
    """What evaluating is asked, with the server among those that may be called."""
    return msgspec.structs.replace(task(learning, release, dataset), upstreams=server.allowed)


async def report_of(learning: Learning, done: Evaluated) -> Report:
    """The report that was kept."""
    async with learning.ledger.reading() as r:
        report, _ = await read_evaluation(r, learning.scene.artifacts, learning.scene.tenant_id, done.id)
    return report


async def test_a_candidate_elsewhere_is_compared_with_a_champion_here(learning: Learning, server: Server) -> None:
    """In a child process, with the figures that numpy finds; report, page and the gate's evidence say where it ran and
    that nobody can pin it. Asked again it is another evaluation, for it is another run."""
    dataset = await frozen(learning)
    async with learning.ledger.reading() as r:
        data = await trained_with(r, await known_model(r, learning.scene.tenant_id, MODEL), dataset)
    await add_elsewhere(learning, server, data=data)
    server.behave()
    done = await in_child("learning.evaluating", asked(learning, server, dataset), Evaluated)
    champion, candidate = expected()
    overall = done.comparisons[0]
    assert (overall.champion.value, overall.candidate.value) == (champion.mean(), candidate.mean())
    assert (overall.fixes, overall.breaks) == ((candidate & ~champion).sum(), (champion & ~candidate).sum())
    assert sum(server.rows) == len(candidate)
    report = await report_of(learning, done)
    ran = report.candidate.elsewhere
    assert ran is not None
    assert (ran.address, ran.model, ran.answered_as, ran.versions) == (server.address, "theirs", "3", ("3",))
    assert (ran.signature.platform, ran.from_us <= ran.until_us) == ("numpy", True)
    assert report.champion is not None
    assert report.champion.elsewhere is None
    (told,) = [sentence for sentence in report.narrative if server.address in sentence]
    assert "Nobody can pin the bytes" in told
    assert server.address in report_html(report)
    async with learning.ledger.reading() as r:
        found = await find_release(r, learning.scene.tenant_id, f"{MODEL}@2")
        assert found is not None
        evidence = await latest_evaluation(r, found[0], learning.where.release_id)
    assert evidence is not None
    assert (evidence.elsewhere, evidence.overlap) == ((told,), 0)
    again = await evaluate(learning.ledger, asked(learning, server, dataset))
    assert (again.new, again.comparisons) == (True, done.comparisons)


@on_sqlite
async def test_a_champion_elsewhere_is_measured_after_a_freeze_and_beside_a_file(
    learning: Learning, server: Server
) -> None:
    """By the worker, and as the baseline of a candidate here; what of it was refused in a batch is asked by itself."""
    dataset = await frozen(learning)
    await add_elsewhere(learning, server)
    forced = Promotion(number=2, why="better", force=True)
    await promote(learning.ledger, learning.scene.artifacts, operator_of(learning.scene.tenant_id), MODEL, forced)
    server.behave(lambda _call, rows: REFUSES if len(rows) > 2 else None)
    artifacts = Path(learning.scene.artifacts.directory.root)
    assert await FreshDatasets(learning.ledger, artifacts, server.allowed).run() == 1
    await add_candidate(learning)
    done = await evaluate(learning.ledger, asked(learning, server, dataset, f"{MODEL}@3"))
    _, turned = expected()
    assert (done.baseline, done.comparisons[0].fixes, done.comparisons[0].breaks) == (f"{MODEL}@2", 0, 0)
    assert done.comparisons[0].champion.value == turned.mean()
    report = await report_of(learning, done)
    assert report.champion is not None
    assert report.champion.elsewhere is not None


Before = Callable[[int, np.ndarray], Said | None]


def after(calls: int, said: Said) -> Before:
    """Answer so once there were so many calls."""
    return lambda call, _rows: said if call > calls else None


@on_sqlite
async def test_a_server_that_fails_leaves_nothing_and_can_be_asked_again(learning: Learning, server: Server) -> None:
    """Whatever happens in the middle of it, no row and no file is kept, and the next evaluation is whole."""
    dataset = await frozen(learning)
    await add_elsewhere(learning, server)
    artifacts = learning.scene.artifacts.directory.root
    kept = files_below(artifacts)

    async def fails(fault: str, allowed: AllowedUpstreams | None = None) -> None:
        told = asked(learning, server, dataset)
        with pytest.raises(ElsewhereNotAsked, match=fault):
            await evaluate(
                learning.ledger, told if allowed is None else msgspec.structs.replace(told, upstreams=allowed)
            )
        assert await learning.scene.count(EvaluationRow) == 0
        assert files_below(artifacts) == kept

    def other_version(call: int, _rows: np.ndarray) -> None:
        server.answers_as = "4" if call > 2 else "3"

    def other_metadata(_call: int, _rows: np.ndarray) -> None:
        server.versions = ["3", "4"]

    await fails("Nobody allowed to call", AllowedUpstreams())
    for before, fault in (
        (after(2, (503, {}, b"")), "cannot answer now"),
        (after(0, (401, {}, b"")), "cannot answer now"),
        (after(2, (504, {}, b"")), "not answered in time"),
        (after(2, (200, {}, b"{}")), "something else than its signature"),
        (after(1, FAILS), "its server failed on"),
        (other_version, "version 3 answered first, and then 4"),
        (other_metadata, "other metadata in the end"),
    ):
        server.behave(before)
        await fails(fault)
        server.versions, server.answers_as = ["3"], "3"
    server.features = 5
    await fails("other tensors now than when it was admitted")
    server.features = 4
    server.behave()
    assert (await evaluate(learning.ledger, asked(learning, server, dataset))).new


@on_sqlite
async def test_what_was_not_begun_is_asked_again_and_a_bad_item_has_no_answer(
    learning: Learning, server: Server
) -> None:
    """A server that is too busy to begin is waited for; an item on which it fails each time counts as wrong, and its
    neighbours do not."""
    dataset = await frozen(learning)
    await add_elsewhere(learning, server)
    seen: list[tuple[float, ...]] = []

    def before(call: int, rows: np.ndarray) -> Said | None:
        if call == 1:
            return 429, {}, b""
        seen.append(tuple(rows[0].tolist()))
        return FAILS if seen[0] in {tuple(row) for row in rows.tolist()} else None

    server.behave(before)
    done = await evaluate(learning.ledger, asked(learning, server, dataset))
    report = await report_of(learning, done)
    assert report.candidate.no_answer == 1
    assert len(expected()[1]) > 20
    assert report.candidate.scores.raw.n == len(expected()[1])
    assert seen.count(seen[0]) == 2
