"""Two unnamed answers in a real browser, by keyboard and without script; and the page of a trial."""

from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from gateway.labels import Answer
from gateway.store.schema.work import CaseRow, VerdictRow
from gateway.trial import trial_rule
from review.store.verdicts import Shown
from tests.browser.scene import Scene
from tests.browser.test_lane import front, judge, open_lane
from tests.trials import Trial, add_candidate, open_trial
from tests.worlds import World

SignIn = Callable[[str], Page]
OWN_FIRST = 0.25


def on_trial(scene: Scene, world: World) -> Trial:
    """A trial of the model."""

    async def opened() -> Trial:
        async with scene.ledger.writing() as w:
            return await open_trial(w, world.model_id, await add_candidate(w, world.model_id))

    return scene.run(opened())


def disagree(scene: Scene, trial: Trial, case_id: UUID, other: Answer) -> None:
    """The case shows its own answer first, and this one second."""

    async def changed() -> None:
        async with scene.ledger.writing() as w:
            row = await w.get_one(CaseRow, case_id)
            row.other_release_id, row.rule, row.draw = trial.candidate_id, trial_rule(trial.id), OWN_FIRST
            row.evidence = msgspec.json.encode({"other": other}).decode()

    scene.run(changed())


def last_chosen(scene: Scene) -> tuple[str | None, str]:
    """The answer of the one verdict, and what was chosen."""

    async def read() -> tuple[str | None, str]:
        async with scene.ledger.reading() as r:
            row = (await r.execute(select(VerdictRow))).scalar_one()
        answer = None if row.answer is None else msgspec.json.decode(row.answer, type=str)
        return answer, msgspec.json.decode(row.shown, type=Shown).chosen

    return scene.run(read())


@pytest.mark.parametrize(
    ("key", "said", "chosen", "answer"),
    [
        ("f", "Chosen: negative.", "first", "negative"),
        ("s", "Chosen: positive.", "second", "positive"),
        ("2", "Neither is right, but: neutral.", "neither", "neutral"),
        ("t", "Passed on", "", None),
    ],
)
def test_each_key_chooses(
    scene: Scene, signed_in: SignIn, key: str, said: str, chosen: str, answer: str | None
) -> None:
    """Two answers stand without names, and one key says which is right, or what is."""
    trial = on_trial(scene, scene.world)
    disagree(scene, trial, scene.hold("not bad at all", kind="disagreement").cases[0], "positive")
    page = open_lane(scene, signed_in("ada"))
    card = front(page)
    expect(card.get_by_label("Two answers")).to_contain_text("First answer negative Second answer positive")
    expect(card).not_to_contain_text("sentiment@")
    expect(card.locator("meter")).to_have_count(0)
    judge(page, key, said)
    assert last_chosen(scene) == (answer, chosen)


def test_two_answers_without_script(scene: Scene, browser: Browser) -> None:
    """The same buttons are a form: a reviewer without script chooses, too."""
    trial = on_trial(scene, scene.world)
    disagree(scene, trial, scene.hold("not bad at all", kind="disagreement").cases[0], "positive")
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([scene.cookie("ada")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{scene.url}/console/lane")
    page.get_by_role("button", name="Second").click()
    expect(page.get_by_role("status")).to_contain_text("Chosen: positive.")
    context.close()


def test_the_page_of_a_trial(scene: Scene, signed_in: SignIn) -> None:
    """The model's page leads there; each figure has its words, and a difference that may be chance is called so."""
    trial = on_trial(scene, scene.world)
    disagree(scene, trial, scene.hold("not bad at all", kind="disagreement").cases[0], "positive")
    judge(open_lane(scene, signed_in("ada")), "s", "Chosen: positive.")
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/models/sentiment")
    page.get_by_role("link", name="on trial").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("sentiment@2 beside sentiment@1")
    expect(page.get_by_role("row", name="The candidate is right (win)")).to_contain_text("1")
    expect(page.get_by_role("main")).to_contain_text("this may be chance")
