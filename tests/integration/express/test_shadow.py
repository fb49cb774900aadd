"""Runs beside plain answers are joined, and tell of each what a run of its own would have told."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from gateway.express.express import Express, Made
from gateway.express.finished import Finished
from gateway.express.lines import LINE_MAX
from gateway.express.shadowing import PlainShadow
from gateway.metrics import SHADOW_RUNS
from gateway.record.codec import is_shadowed, may_be_drawn
from gateway.record.entries import Shadowed
from gateway.record.frames import Frame
from gateway.record.reader import SegmentReader
from gateway.record.segment import open_segments
from review.shadow_runs import read_runs
from tests.bench.stand import Stand
from tests.integration.express.test_both_ways import (
    CARD,
    NOBODY,
    OTHER,
    ROW,
    Sent,
    alike,
    answering,
    body,
    generally,
    send,
)
from tests.integration.express.trials import decided, put_on_trial, shadowed, until
from tests.models import contrary, fragile, softmax, sticking
from tests.trials import close_trial

CONTENTS = (body(ROW), body(ROW, OTHER, ROW), body(ROW, id="an id"), body([0.0] * 4))
"""One item, several of which some differ, one with an id, and one about which all classes are equal."""
OTHER_LABELS = CARD.replace('"a"', '"d"')


async def asked(stand: Stand, *contents: bytes) -> list[Sent]:
    """The answers to these, all of which come in one turn of the loop."""
    several = [send(stand, content) for content in contents]
    assert all(map(stand.express.take, several))
    for sent in several:
        await sent.done.wait()
        assert sent.told is not None
    return several


def named(entry: Shadowed) -> Shadowed:
    """The entry without what differs between any two."""
    kept = entry.decided
    if kept is not None:
        objects = tuple(
            msgspec.structs.replace(each, sha256="", bytes=0) if each.role == "output" else each
            for each in kept.objects
        )
        kept = msgspec.structs.replace(alike(kept), objects=objects)
    draws = tuple(0.0 for _ in entry.draws)
    return msgspec.structs.replace(entry, at_us=0, prediction=NOBODY, run_us=0, draws=draws, decided=kept)


async def compare(stand: Stand, ways: dict[str, Callable[[bytes], Awaitable[Any]]]) -> dict[str, list[Shadowed]]:
    """What runs beside the same answers told, counted and came to, by the way that these went."""
    told: dict[str, list[Shadowed]] = {}
    counted, tallied = [], []
    for way, ask in ways.items():
        SHADOW_RUNS.forget()
        before = len(shadowed(stand))
        for number, content in enumerate(CONTENTS, 1):
            await ask(content)
            await until(stand, before + number)
        told[way] = shadowed(stand)[before:]
        counted.append(dict(SHADOW_RUNS.values))
        runs = [Frame(0, 0, data) for data in frames(stand) if is_shadowed(data)]
        tallied.append(read_runs("segment", runs[before:]).by_trial)
    assert counted[0] == counted[1]
    assert tallied[0] == tallied[1]
    return told


async def test_both_ways_tell_the_same_of_the_same_run() -> None:
    """Field for field but for ids, times and draws; so do the metrics and what the trial counts."""
    same, other = (softmax(), CARD), (contrary(), CARD)
    scenes = {
        "the same answers": (*same, 1.0), "differing, none drawn": (*other, 0.0), "differing, drawn": (*other, 1.0),
        "other labels": (softmax(), OTHER_LABELS, 0.0),
        "never joined": (contrary(), CARD + "[batching]\njoin = false\n", 0.0),
    }  # fmt: skip
    async with answering(file=softmax()) as stand:
        for name, (file, card, probability) in scenes.items():
            trial = await put_on_trial(stand, file, card, probability=probability)
            told = await compare(
                stand, {"general": lambda content: generally(stand, content), "express": lambda c: asked(stand, c)}
            )
            assert [named(each) for each in told["express"]] == [named(each) for each in told["general"]], name
            assert {each.trial for each in told["express"]} == {trial.id}
            assert len({each.prediction for way in told.values() for each in way}) == 2 * len(CONTENTS)
            async with stand.ledger.writing() as w:
                await close_trial(w, trial)
            await stand.follower.refresh()


async def test_what_is_joined_is_told_apart_again() -> None:
    """Of one turn's answers each run is compared with its own, whatever stood beside it."""
    rows = [[float(one), -float(two), 1.0, 0.5] for one in range(4) for two in range(4)]
    async with answering(file=softmax()) as stand:
        await put_on_trial(stand, contrary(), CARD, probability=0.0)
        for row in rows:
            await asked(stand, body(row))
        alone = await until(stand, len(rows))
        await asked(stand, *map(body, rows))
        together = (await until(stand, 2 * len(rows)))[len(rows) :]
        inputs = {entry.prediction: entry.input_digest for entry in decided(stand)}
        first, second = ({inputs[each.prediction]: _said(each) for each in found} for found in (alone, together))
        assert len(first) == len(rows)
        assert first == second
        assert {each.status for each in together} == {"answered"}
        data = [each for each in frames(stand) if is_shadowed(each)]
    assert len(data) == 2 * len(rows)
    assert not any(map(may_be_drawn, data))


async def test_a_run_that_fails_is_told_by_name_and_leaves_its_neighbours_theirs() -> None:
    """All are answered; beside one the candidate has failed, and beside the others it has not."""
    async with answering(file=softmax()) as stand:
        await put_on_trial(stand, fragile(), CARD)
        await asked(stand, body(ROW), body([0.0, 1e9, 0.0, 0.0]), body(OTHER))
        entries = await until(stand, 3)
    assert [entry.status for entry in entries] == ["answered", "failed", "answered"]
    assert entries[1].reason == "model-refused-values"


async def test_a_candidate_that_hangs_is_run_alone_from_then_on() -> None:
    """Answers come while it hangs; what is offered meanwhile is dropped, and later runs are told again."""
    async with answering(file=softmax()) as stand:
        await put_on_trial(stand, sticking(), CARD)
        await asked(stand, body([0.0, 1e12, 0.0, 0.0]))
        while "timed_out" not in {entry.status for entry in shadowed(stand)}:
            await asked(stand, body(ROW))
            await asyncio.sleep(0.05)
        while shadowed(stand)[-1].status != "answered":
            before = len(shadowed(stand))
            await asked(stand, body(ROW))
            await until(stand, before + 1)
        reasons = {entry.reason for entry in shadowed(stand) if entry.status == "dropped"}
    assert reasons <= {"stuck", "queue_full"}


class Keeping(Express):
    """The express way, whose latest answers are kept."""

    made: list[Made]

    def _finish(self, made: list[Made]) -> None:
        self.made = made
        super()._finish(made)


async def test_what_finds_no_room_is_dropped_and_counted() -> None:
    """A full line, the end of the process and a full disk each leave their trace, and sessions are given back."""
    async with answering(file=softmax()) as stand:
        await put_on_trial(stand, softmax(), CARD)
        run = await kept_run(stand)
        await until(stand, 1)
        SHADOW_RUNS.forget()
        plain = PlainShadow(stand.log, stand.shadow, Random(7), answers_wait=lambda: False)
        plain.offer([run] * (LINE_MAX + 3))
        assert len(shadowed(stand)) == 1, "they are written together, a moment later"
        live = stand.follower.live
        live.retire()
        assert live.is_ready(live.plan.models[stand.tenant_id, "m"].champion)
        await plain.close()
        assert not live.is_ready(live.plan.models[stand.tenant_id, "m"].champion)
        plain.offer([run])
        expected = ["queue_full"] * 3 + ["shutdown"] * (LINE_MAX + 1)
        assert [entry.reason for entry in shadowed(stand)[1:]] == expected
        assert {entry.prediction for entry in shadowed(stand)} == {UUID(bytes=run.identifier.bytes)}
        assert SHADOW_RUNS.values == {("m", "m@2", "dropped"): LINE_MAX + 4}
        stand.log.reserve.exhausted()
        plain.offer([run])
        assert stand.log.counts.unrecorded == 1


async def kept_run(stand: Stand) -> Finished:
    """A run that belongs to an answer."""
    keeping = Keeping(stand.follower, stand.holds, stand.log, stand.shadow, Random(7), compressed_from=65_536)
    sent = send(stand, body(ROW))
    assert keeping.take(sent)
    await sent.done.wait()
    assert keeping.made[0].waiting.answering.companion is not None
    return keeping.made[0].finished


async def test_a_plan_that_changes_meanwhile_ends_no_run() -> None:
    """The run is made under the plan that its answer was given under, whose sessions are closed afterwards."""
    async with answering(file=softmax()) as stand:
        trial = await put_on_trial(stand, softmax(), CARD)
        live = stand.follower.live
        champion = live.plan.models[stand.tenant_id, "m"].champion
        [sent] = await asked(stand, body(ROW))
        live.retire()
        (entry,) = await until(stand, 1)
        assert (entry.status, entry.trial) == ("answered", trial.id)
        assert sent.told is not None
        assert not live.is_ready(champion)


def frames(stand: Stand) -> list[bytes]:
    """The log's entries as they are written."""
    found: list[bytes] = []
    for path in open_segments(stand.folder / "traffic" / "open"):
        with SegmentReader(path) as reader:
            found += [frame.data for frame in reader.frames()]
    return found


def _said(entry: Shadowed) -> tuple[object, ...]:
    return entry.differing, entry.answers, entry.item_count, entry.outputs[0].shape
