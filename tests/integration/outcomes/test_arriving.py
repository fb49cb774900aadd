"""Truth that arrives later, on both databases: what is recorded, told, refused, and put before people."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from gateway.decision import Asked
from gateway.holding import wishes
from gateway.holding.arriving import ArrivedTruth
from gateway.ids import new_id
from gateway.policy import Policy
from gateway.store.schema.learning import PrecedentRow
from review.errors import ClaimLost
from tests.integration.holding.scene import tensors
from tests.integration.outcomes.scene import Scene, truth

NOW = Asked()


async def _told(scene: Scene, prediction_id: UUID) -> list[str]:
    reply = await scene.desk.holds.get(prediction_id, scene.desk.caller(), NOW)
    assert reply.status == 200, reply.body
    found: list[str] = tensors(reply)["label"]
    return found


async def test_what_only_the_log_has_is_corrected(scene: Scene) -> None:
    """An automated answer gets its rows, revision 1 and both events; its URL tells the truth, and nothing becomes a
    precedent."""
    (prediction_id,) = await scene.answered("not bad at all")
    (receipt,) = await scene.learn(truth(prediction_id))
    assert (receipt.result, receipt.outcome_revision, receipt.truth) == ("recorded", 1, True)
    assert await scene.outcomes(prediction_id) == [(1, 1, "truth:lab", '"positive"')]
    assert await scene.events(prediction_id) == ["outcome.recorded", "prediction.revised"]
    assert await _told(scene, prediction_id) == ["positive"]
    assert await scene.desk.count(PrecedentRow) == 0


async def test_a_truth_that_agrees_revises_nothing(scene: Scene) -> None:
    """It is recorded, because it outranks a person; the caller was right already and hears of nothing."""
    (prediction_id,) = await scene.answered("awful")
    assert (await scene.learn(truth(prediction_id, "negative")))[0].result == "recorded"
    assert await scene.events(prediction_id) == ["outcome.recorded"]


async def test_the_same_source_says_the_same_once(scene: Scene) -> None:
    """Again it is already known; another answer of the source is the next revision, another source's as well."""
    (prediction_id,) = await scene.answered("so so")
    receipts = await scene.learn(
        truth(prediction_id),
        truth(prediction_id),
        truth(prediction_id, "neutral"),
        truth(prediction_id, "neutral", "court"),
    )
    assert [one.result for one in receipts] == ["recorded", "already-known", "recorded", "recorded"]
    assert [one.outcome_revision for one in receipts] == [1, 1, 2, 3]
    assert [row[1:3] for row in await scene.outcomes(prediction_id)] == [
        (1, "truth:lab"),
        (2, "truth:lab"),
        (3, "truth:court"),
    ]


async def test_a_conflict_with_people_opens_one_case_for_a_lead(scene: Scene) -> None:
    """A truth that contradicts a person is told from then on, and one report case shows a lead both answers."""
    prediction_id = await scene.judged("neutral")
    assert await _told(scene, prediction_id) == ["neutral"]
    first, second = await scene.learn(truth(prediction_id), truth(prediction_id, source="court"))
    assert (first.result, second.result, first.truth) == ("conflict", "conflict", True)
    assert first.case_id == second.case_id
    (report,) = [case for case in await scene.desk.cases(prediction_id) if case.kind == "report"]
    assert (report.id, report.rule, report.state) == (first.case_id, "truth_conflict", "adjudicating")
    assert await scene.case_events(report.id) == ["case.opened", "case.adjudicating"]
    evidence = msgspec.json.decode(report.evidence)
    assert (evidence["truth"], evidence["people"], evidence["truth_source"]) == ("positive", "neutral", "lab")
    assert await _told(scene, prediction_id) == ["positive"]


async def test_a_lead_decides_a_conflict(scene: Scene) -> None:
    """Without anybody else judging it: what the lead says is told from then on, and outranks the truth."""
    prediction_id = await scene.judged("neutral")
    (receipt,) = await scene.learn(truth(prediction_id))
    assert receipt.case_id is not None
    await scene.lead_says(receipt.case_id, "neutral")
    assert await _told(scene, prediction_id) == ["neutral"]
    assert [row[2] for row in await scene.outcomes(prediction_id)] == ["people", "truth:lab", "adjudication"]


async def test_a_report_that_a_reviewer_has_in_hand_goes_to_a_lead(scene: Scene) -> None:
    """The claim ends, so that a verdict on it counts no more; a report that was decided is left as it is."""
    prediction_id = await scene.judged("neutral")
    await wishes.report(scene.desk.holds, prediction_id, scene.desk.caller(), wishes.Report(reason="I doubt it"))
    (report,) = [case for case in await scene.desk.cases(prediction_id) if case.kind == "report"]
    claim = await scene.desk.claim(report.id)
    (receipt,) = await scene.learn(truth(prediction_id))
    assert (receipt.result, receipt.case_id) == ("conflict", report.id)
    with pytest.raises(ClaimLost):
        await scene.desk.post(claim, "neutral")
    await scene.lead_says(report.id, "neutral")
    (receipt,) = await scene.learn(truth(prediction_id, source="court"))
    assert (receipt.result, receipt.case_id) == ("conflict", report.id)
    assert (await scene.case_events(report.id))[-1] == "case.settled"


async def test_a_lead_outranks_a_ground_truth(scene: Scene) -> None:
    """A truth that arrives after a lead decided is recorded and changes nothing that is told."""
    held = scene.desk.held("hm", respond_async=True)
    await scene.desk.holds.hold(held)
    await scene.lead_decides((await scene.desk.cases(held.id))[0].id, "neutral")
    (receipt,) = await scene.learn(truth(held.id))
    assert (receipt.result, receipt.outcome_revision, receipt.truth) == ("conflict", 2, False)
    assert "prediction.revised" not in await scene.events(held.id)
    assert await _told(scene, held.id) == ["neutral"]


async def test_a_person_does_not_lower_a_ground_truth(scene: Scene) -> None:
    """A report that one reviewer settles otherwise is the next revision, and the truth stays."""
    (prediction_id,) = await scene.answered("fine")
    await scene.learn(truth(prediction_id))
    await wishes.report(scene.desk.holds, prediction_id, scene.desk.caller(), wishes.Report(reason="I doubt it"))
    await scene.desk.judge((await scene.desk.cases(prediction_id))[0].id, "neutral")
    assert [row[2] for row in await scene.outcomes(prediction_id)] == ["truth:lab", "people"]
    assert (await scene.events(prediction_id)).count("prediction.revised") == 1
    assert await _told(scene, prediction_id) == ["positive"]


async def test_a_hold_that_waits_is_answered_by_the_truth(scene: Scene) -> None:
    """Its URL tells the truth although people have not judged it."""
    held = scene.desk.held("hm", respond_async=True)
    await scene.desk.holds.hold(held)
    await scene.learn(truth(held.id))
    assert await _told(scene, held.id) == ["positive"]


async def test_each_entry_stands_alone(scene: Scene) -> None:
    """What is wrong with one entry is told by its code and keeps no other from being recorded."""
    one, two = await scene.answered("a", "b", items=2, request_id="order-7")
    (three,) = await scene.answered("c", request_id="order-8")
    request = {"answer": "positive", "source": "lab"}
    receipts = await scene.learn(
        truth(new_id()),
        truth(one, item=3),
        truth(one, "delighted"),
        truth(one, 4.5),
        ArrivedTruth(request_id="order-7", **request),  # type: ignore[arg-type]
        ArrivedTruth(request_id="order-9", **request),  # type: ignore[arg-type]
        ArrivedTruth(request_id="order-8", **request),  # type: ignore[arg-type]
        truth(two, item=2),
    )
    assert [one.result for one in receipts] == [
        "unknown-prediction", "unknown-item", "invalid-answer", "invalid-answer", "ambiguous-request",
        "unknown-prediction", "recorded", "recorded",
    ]  # fmt: skip
    assert all(one.detail for one in receipts[:6])
    assert receipts[6].prediction_id == three
    assert await scene.outcomes(two) == [(2, 1, "truth:lab", '"positive"')]
    (again,) = await scene.learn(ArrivedTruth(request_id="order-8", **request))  # type: ignore[arg-type]
    assert again.result == "already-known"


async def test_what_was_not_captured_is_gone(scene: Scene) -> None:
    """What the model said is not known, so that nothing can be compared with it; the prediction is not unknown."""
    (prediction_id,) = await scene.answered("a", policy=Policy(capture=0.0))
    (receipt,) = await scene.learn(truth(prediction_id))
    assert (receipt.result, receipt.detail) == (
        "gone", "This prediction was answered without capture and is no longer kept.",
    )  # fmt: skip


async def test_another_models_prediction_is_unknown(scene: Scene) -> None:
    """The scope of a key names one model; through it no other model's prediction is reached."""
    logged, kept = (await scene.answered("a"))[0], await scene.judged("neutral")
    receipts = await scene.learn(truth(logged), truth(kept), model="other")
    assert [one.result for one in receipts] == ["unknown-prediction"] * 2


async def test_many_at_once_make_dense_revisions(scene: Scene) -> None:
    """Sources that tell of the same automated answer at the same moment become revisions 1 to n, each once."""
    (prediction_id,) = await scene.answered("all at once")
    sources = [f"source-{number}" for number in range(8)]
    await asyncio.gather(*(scene.learn(truth(prediction_id, source=source)) for source in sources))
    rows = await scene.outcomes(prediction_id)
    assert [row[1] for row in rows] == list(range(1, 9))
    assert {row[2] for row in rows} == {f"truth:{source}" for source in sources}
