"""The lane in a real browser: by keyboard alone, without script, and when things change under a reviewer's hands."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.scene import Scene

SignIn = Callable[[str], Page]


def front(page: Page) -> Locator:
    """The card in front."""
    return page.locator(".card:visible")


def open_lane(scene: Scene, page: Page) -> Page:
    """The lane, ready for keys."""
    page.goto(f"{scene.url}/console/lane")
    expect(page.locator("#help")).to_be_visible()
    return page


def judge(page: Page, key: str, said: str) -> None:
    """Press a key and wait until the lane says what it did."""
    page.keyboard.press(key)
    expect(page.get_by_role("status")).to_contain_text(said)


def test_a_shift_by_keyboard_alone(scene: Scene, signed_in: SignIn) -> None:
    """A class's key approves or corrects, and the next card is in front with the focus on its heading."""
    for text in ("it died after a week", "i have two of these", "it fits in my shirt pocket"):
        scene.hold(text)
    page = open_lane(scene, signed_in("ada"))
    expect(front(page).locator("blockquote")).to_have_text("it died after a week")
    judge(page, "1", "Approved: negative.")
    expect(front(page).locator("blockquote")).to_have_text("i have two of these")
    expect(front(page).get_by_role("heading", level=2)).to_be_focused()
    judge(page, "2", "Corrected: negative → neutral.")
    judge(page, "e", "Escalated. A lead decides.")
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_focused()
    assert [kind for kind, _, _ in scene.verdicts()] == ["approve", "correct", "escalate"]


@pytest.mark.parametrize(
    ("key", "said", "kind"),
    [("x", "No answer is right", "unanswerable"), ("t", "Passed on", "cannot_tell"), ("3", "→ positive", "correct")],
)
def test_each_key_is_its_verdict(scene: Scene, signed_in: SignIn, key: str, said: str, kind: str) -> None:
    """The keys of the lane give the verdicts of the design."""
    scene.hold("not bad at all")
    judge(open_lane(scene, signed_in("ada")), key, said)
    assert [kind for kind, _, _ in scene.verdicts()] == [kind]


def test_the_line_says_how_soon_the_caller_was_answered(scene: Scene, signed_in: SignIn) -> None:
    """After a verdict a quiet line says what it changed, and then how soon its caller heard of it."""
    held = scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    judge(page, "3", "Corrected: negative → positive.")
    scene.caller_is_told(held)
    expect(page.get_by_role("status")).to_contain_text("The caller was answered")


def test_undo_brings_the_card_back(scene: Scene, signed_in: SignIn) -> None:
    """`u` takes the last verdict back: its case is in front again, in its next round, for another judgement."""
    scene.hold("not bad at all")
    scene.hold("it died after a week")
    page = open_lane(scene, signed_in("ada"))
    judge(page, "1", "Approved: negative.")
    judge(page, "u", "Undone")
    expect(front(page).locator("blockquote")).to_have_text("not bad at all")
    expect(front(page)).to_contain_text("round 2")
    judge(page, "3", "Corrected: negative → positive.")
    assert [kind for kind, _, _ in scene.verdicts()] == ["approve", "correct"]


def test_help_lists_the_keys_and_takes_none(scene: Scene, signed_in: SignIn) -> None:
    """`?` shows the keys; while they are shown no key judges, and Escape leads back."""
    scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    for word in ("negative", "Unanswerable", "Cannot tell", "Escalate", "Rationale", "Undo"):
        expect(dialog).to_contain_text(word)
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(front(page).locator("blockquote")).to_have_text("not bad at all")
    assert scene.verdicts() == []


def test_shortcuts_can_be_switched_off(scene: Scene, signed_in: SignIn) -> None:
    """Switched off, and after a reload still, keys do nothing; the buttons do what they did."""
    scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    page.keyboard.press("?")
    page.get_by_role("button", name="Shortcuts are on").click()
    expect(page.get_by_role("button", name="Shortcuts are off")).to_be_visible()
    open_lane(scene, page)
    page.keyboard.press("3")
    expect(front(page).locator("blockquote")).to_have_text("not bad at all")
    assert scene.verdicts() == []
    front(page).get_by_role("button", name="positive").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected")


def test_a_field_keeps_its_letters(scene: Scene, signed_in: SignIn) -> None:
    """While somebody writes, letters are letters; Escape leaves the field, and its text goes with the verdict."""
    scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    page.keyboard.press("r")
    page.keyboard.type("extra 3 texts")
    page.keyboard.press("Escape")
    judge(page, "3", "Corrected")
    assert scene.verdicts() == [("correct", '"positive"', "extra 3 texts")]


def test_a_compulsory_rationale_is_asked_for(scene: Scene, signed_in: SignIn) -> None:
    """Where the queue wants a reason, a correction asks for it first and Ctrl+Enter sends both."""
    scene.hold_text("not bad at all", scene.rules(rationale="on_correction"))
    page = open_lane(scene, signed_in("ada"))
    judge(page, "3", "Say why")
    expect(front(page).get_by_label("Rationale")).to_be_focused()
    page.keyboard.type("Double negation.")
    judge(page, "Control+Enter", "Corrected")
    assert scene.verdicts() == [("correct", '"positive"', "Double negation.")]


def test_a_lost_claim_brings_the_card_back_with_its_draft(scene: Scene, signed_in: SignIn) -> None:
    """A verdict whose lease was lost is refused: the card comes back with what was written, and the next key counts."""
    scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    page.keyboard.press("r")
    page.keyboard.type("Double negation.")
    page.keyboard.press("Escape")
    scene.expire_claims()
    page.keyboard.press("3")
    expect(front(page).locator("[data-note]")).to_contain_text("nothing was counted")
    expect(front(page).get_by_label("Rationale")).to_have_value("Double negation.")
    assert scene.verdicts() == []
    judge(page, "3", "Corrected")
    assert scene.verdicts() == [("correct", '"positive"', "Double negation.")]


def test_new_holds_come_by_themselves(scene: Scene, signed_in: SignIn) -> None:
    """An empty lane says what it waits for, and shows the next hold without a key."""
    page = open_lane(scene, signed_in("ada"))
    expect(page.locator("#empty")).to_contain_text("default")
    scene.hold("not bad at all")
    expect(front(page).locator("blockquote")).to_have_text("not bad at all")
    judge(page, "3", "Corrected")


def test_a_caller_who_has_gone_is_shown_as_gone(scene: Scene, signed_in: SignIn) -> None:
    """The card says that a caller waits, and changes its word when they hang up."""
    scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    expect(front(page)).to_contain_text("A caller waits now")
    scene.caller_leaves()
    expect(front(page).get_by_text("The caller has gone")).to_be_visible()
    judge(page, "3", "Nobody was waiting")


def test_a_blind_card_hides_what_the_model_said(scene: Scene, signed_in: SignIn) -> None:
    """A blind case shows neither the model's answer nor its confidence, and marks no button as the model's."""
    scene.hold("not bad at all", blind=True)
    page = open_lane(scene, signed_in("ada"))
    expect(front(page)).to_contain_text("Judged blind")
    expect(front(page)).not_to_contain_text("0.41")
    expect(front(page)).not_to_contain_text("as the model")
    judge(page, "1", "Answered blind: negative.")


def test_active_seconds_are_counted(scene: Scene, signed_in: SignIn) -> None:
    """The seconds for which a card was in front go with its verdict."""
    scene.hold("not bad at all")
    page = open_lane(scene, signed_in("ada"))
    expect(front(page)).to_have_attribute("data-active", re.compile(r"^[1-9]"))
    judge(page, "3", "Corrected")
    assert scene.active_seconds()[0] >= 1


def test_the_lane_without_script(scene: Scene, browser: Browser) -> None:
    """Every verdict, the undo and a refusal work as plain forms."""
    scene.hold_text("not bad at all", scene.rules(rationale="on_correction"))
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([scene.cookie("ada")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{scene.url}/console/lane")
    front(page).get_by_role("button", name="positive").click()
    expect(page.get_by_role("status")).to_contain_text("rationale is compulsory")
    front(page).get_by_label("Rationale").fill("Double negation.")
    front(page).get_by_role("button", name="positive").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected: negative → positive.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone")
    front(page).get_by_role("button", name="negative").click()
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    assert [kind for kind, _, _ in scene.verdicts()] == ["correct", "approve"]
    context.close()
