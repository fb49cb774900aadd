"""The terms of the gate: declared by operators with who and why, kept, and gone by."""

import msgspec
import numpy as np
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from gateway.errors import UnknownModel
from gateway.ids import new_id
from gateway.store.models import find_model
from gateway.store.schema.learning import DatasetRow, EvaluationRow
from gateway.store.schema.serves import GateRow, ModelRow, ReleaseRow
from review.errors import NotAllowed, NotAPerson, ReasonMissing
from review.learning.report import Summary
from review.learning.scores import Answers, scores_of
from review.release.errors import NoTermsDeclared, NoTermsToConfirm, OwnTerms
from review.release.evidence import Comparison, Interval
from review.release.gate import Check, GateReport, Thresholds
from review.release.promotion import gate_of
from review.release.terms import TermsShown, clear_terms, confirm_terms, set_terms, show_terms
from tests.integration.release.scene import MODEL, Scene, operator_of

HELD_OUT = 60
LOOSE = Thresholds(margin=0.05, min_held_out=50, min_decided=10)
STRICT = Thresholds(margin=0.005, min_held_out=50, min_decided=10)


async def declare(scene: Scene, thresholds: Thresholds, why: str = "it is new") -> TermsShown:
    """Declare terms as the scene's operator."""
    return await set_terms(scene.registry.ledger, scene.operator, MODEL, thresholds, why)


async def clear(scene: Scene, why: str = "enough seen") -> TermsShown:
    """Clear them."""
    return await clear_terms(scene.registry.ledger, scene.operator, MODEL, why)


async def shown(scene: Scene) -> TermsShown:
    """What is in force."""
    return await show_terms(scene.registry.ledger, scene.registry.tenant_id, MODEL)


async def evaluated(scene: Scene) -> int:
    """A release of another file that was a little worse on few held-out items; its number."""
    number = await scene.another_file()
    share = Interval(value=0.9, low=0.8, high=0.95, n=HELD_OUT)
    worse = Interval(value=-0.02, low=-0.03, high=-0.01, n=HELD_OUT)
    compared = Comparison(what="overall", champion=share, candidate=share, difference=worse, fixes=1, breaks=2)
    one = Answers(truth=["a"], said=["a"], right=np.ones(1, bool), scores=np.ones(1), weights=np.ones(1))
    summary = Summary(held_out=HELD_OUT, overlap=0, scores=scores_of(one, {}, ("a",)), comparisons=(compared,), html="")
    async with scene.registry.ledger.writing() as w:
        model = await find_model(w, scene.registry.tenant_id, MODEL)
        assert model is not None
        found = select(ReleaseRow.number, ReleaseRow.id).where(ReleaseRow.model_id == model.id)
        ids = {row.number: row.id for row in await w.execute(found)}
        dataset = DatasetRow(sha256="d" * 64, model_id=model.id, manifest="{}", items=HELD_OUT, by="ada", created_us=1)
        w.add(dataset)
        await w.flush()
        evaluation = EvaluationRow(
            id=new_id(), release_id=ids[number], baseline_id=ids[1], dataset=dataset.sha256, report=None,
            scores=msgspec.json.encode(summary).decode(), narrative=None, seed=1, created_us=1,
        )  # fmt: skip
        w.add(evaluation)
    return number


async def check(scene: Scene, number: int) -> Check:
    """What the gate says of the release's evaluation."""
    registry = scene.registry
    report = await gate_of(registry.ledger, registry.artifacts, registry.tenant_id, MODEL, number)
    return next(each for each in report.checks if each.name == "evaluation")


async def test_the_gate_goes_by_the_terms_in_force_and_the_history_keeps_them(scene: Scene) -> None:
    """Too few items are enough where that is declared, a margin lets pass or refuses, and cleared all is as before."""
    number = await evaluated(scene)
    assert "Only 60 held-out items were evaluated, and 100 are needed." in (await check(scene, number)).reasons
    await declare(scene, STRICT)
    assert (await check(scene, number)).verdict == "refuse"
    await clear(scene)
    assert (await check(scene, number)).verdict == "wait"
    await declare(scene, LOOSE, "its errors are cheap")
    assert (await check(scene, number)).verdict == "promote"
    await scene.promote(number, force=True, why="no trial is needed")
    kept = (await scene.history())[-1].gate
    assert kept is not None
    report = msgspec.json.decode(kept, type=GateReport)
    assert (report.verdict, report.thresholds) == ("wait", LOOSE)
    assert report.terms is not None
    assert (report.terms.revision, report.terms.by, report.terms.why) == (
        3, "person:olga@example.org", "its errors are cheap",
    )  # fmt: skip
    await clear(scene)
    assert (await scene.history())[-1].gate == kept


async def test_what_was_declared_is_kept_with_who_and_why(scene: Scene) -> None:
    """Revision by revision, in rows that nobody can change, each with its event."""
    assert (await shown(scene)).history == ()
    await declare(scene, STRICT)
    told = await declare(scene.as_person("otto"), LOOSE, "too strict")
    assert told == await shown(scene)
    assert (told.thresholds, told.asks) == (LOOSE, "at most 5.0% worse on 50 held-out items, 10 decided disagreements")
    cleared = await clear(scene)
    assert (cleared.thresholds, cleared.declared) == (Thresholds(), cleared.history[0])
    assert [(each.revision, each.declaration, each.by, each.why) for each in cleared.history] == [
        (3, None, "person:olga@example.org", "enough seen"),
        (2, LOOSE, "person:otto@example.org", "too strict"),
        (1, STRICT, "person:olga@example.org", "it is new"),
    ]  # fmt: skip
    events = await scene.events("gate.declared", "gate.cleared")
    assert [(each.type, each.by, msgspec.json.decode(each.data)["asks"]) for each in events] == [
        ("gate.declared", "person:olga@example.org", STRICT.told),
        ("gate.declared", "person:otto@example.org", LOOSE.told),
        ("gate.cleared", "person:olga@example.org", Thresholds().told),
    ]  # fmt: skip
    with pytest.raises(NoTermsDeclared):
        await clear(scene)
    for change in (update(GateRow).values(why="another"), delete(GateRow)):
        with pytest.raises(DBAPIError, match="immutable"):
            async with scene.registry.ledger.writing() as w:
                await w.execute(change)


async def test_terms_are_an_operators_and_have_a_reason(scene: Scene) -> None:
    """What is refused leaves no row and no event."""
    reviewer = msgspec.structs.replace(operator_of(scene.registry.tenant_id), roles=frozenset({("reviewer", None)}))
    as_reviewer = msgspec.structs.replace(scene, operator=reviewer)
    with pytest.raises(NotAllowed):
        await declare(as_reviewer, LOOSE)
    with pytest.raises(NotAllowed):
        await clear(as_reviewer)
    with pytest.raises(ReasonMissing):
        await declare(scene, LOOSE, " ")
    with pytest.raises(UnknownModel):
        await set_terms(scene.registry.ledger, scene.operator, "others", LOOSE, "x")
    with pytest.raises(UnknownModel):
        await show_terms(scene.registry.ledger, scene.registry.tenant_id, "others")
    assert ((await shown(scene)).history, await scene.events("gate.declared")) == ((), [])


async def confirm(scene: Scene, why: str = "agreed") -> TermsShown:
    """Confirm them as the scene's operator."""
    return await confirm_terms(scene.registry.ledger, scene.operator, MODEL, why)


async def with_four_eyes(scene: Scene) -> Scene:
    """A second operator of the model, which asks for four eyes from now on."""
    async with scene.registry.ledger.writing() as w:
        await w.execute(update(ModelRow).values(four_eyes=True))
    return scene.as_person("otto")


async def test_with_four_eyes_lower_terms_wait_for_a_second_person(scene: Scene) -> None:
    """What one asks for changes nothing until another confirms it, who is told in row and event; higher terms count at
    once, and clearing strict ones is lowering, too."""
    second = await with_four_eyes(scene)
    asked = await declare(scene, LOOSE, "the pilot is small")
    assert (asked.thresholds, asked.history, asked.request is not None) == (Thresholds(), (), True)
    with pytest.raises(OwnTerms):
        await confirm(scene)
    told = await confirm(second)
    assert (told.thresholds, told.request) == (LOOSE, None)
    assert (told.history[0].by, told.history[0].why) == (
        "person:olga@example.org", "the pilot is small (confirmed by otto@example.org: agreed)",
    )  # fmt: skip
    (event,) = await scene.events("gate.declared")
    assert msgspec.json.decode(event.data)["second_person"] == "person:otto@example.org"
    strict = Thresholds(margin=0.005, min_held_out=200, min_decided=40)
    assert (await declare(scene, strict)).thresholds == strict
    assert (await clear(scene)).thresholds == strict
    assert (await confirm(second)).thresholds == Thresholds()


async def test_a_request_for_lower_terms_holds_until_terms_are_declared(scene: Scene) -> None:
    """After that, and without any, there is nothing to confirm; a key that belongs to nobody can do neither."""
    second = await with_four_eyes(scene)
    with pytest.raises(NoTermsToConfirm):
        await confirm(second)
    await declare(scene, LOOSE)
    machine = msgspec.structs.replace(second, operator=msgspec.structs.replace(second.operator, kind="key"))
    for act in (confirm(machine), declare(machine, LOOSE)):
        with pytest.raises(NotAPerson):
            await act
    await declare(scene, Thresholds(margin=0.01))
    assert (await shown(scene)).request is None
    with pytest.raises(NoTermsToConfirm):
        await confirm(second)
