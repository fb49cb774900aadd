"""The operations page by keyboard alone, and the pages of releases: what will change, the gate, one confirmation."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.evaluated import ELSEWHERE, evaluate
from tests.browser.operations_scene import Operated
from tests.browser.scene import running_console
from tests.servers.ledgers import Ledgers
from tests.servers.process import free_port

PATIENCE_MS = 30_000
REST_MS, LOOKS = 1_000, 100
"""How long the page rests between two looks, and how often a test looks meanwhile: by its clock ten seconds in all."""
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def operated(_ledgers: Ledgers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """Two models for the tests of this module; `grades` has a second release, which raises human control."""
    folder = tmp_path_factory.mktemp("operations")
    with _ledgers.migrated("sqlite") as url, running_console(url, folder, free_port()) as scene:
        world = Operated(scene, folder)
        world.add("grades")
        world.add("grades", hold_below=0.9)
        world.add("loans")
        yield world


@pytest.fixture
def opened(operated: Operated, context: BrowserContext) -> Iterator[Open]:
    """A function that opens the operations page for somebody; with `live` once its stream has begun."""
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)

    def open_page(who: str = "olga", address: str = "/console/operations", *, live: bool = True) -> Page:
        context.add_cookies([operated.scene.cookie(who)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{operated.scene.url}{address}")
        if live:
            expect(page.locator("#live")).to_have_text("● live")
        return page

    yield open_page
    expect.set_options(timeout=None)


def in_front(page: Page, model: str) -> None:
    """Go to a model by keys, from wherever one is."""
    for _ in range(4):
        page.keyboard.press("k")
    for _ in range(4):
        if page.evaluate("document.activeElement.dataset.model") == model:
            return
        page.keyboard.press("j")
    raise AssertionError(page.evaluate("document.activeElement.outerHTML"))


def leave(page: Page) -> None:
    """Go back by Escape, once the page hears it."""
    expect(page.locator("a[aria-keyshortcuts=Escape]")).to_be_visible()
    page.keyboard.press("Escape")


def hears(page: Page) -> None:
    """Return once the page hears its keys."""
    expect(page.locator("#help")).to_be_visible()


def confirm(page: Page, heading: str, why: str) -> None:
    """Read what will change, say why, and confirm; the reason has the focus."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_role("heading", name="What will change")).to_be_visible()
    expect(page.get_by_label("Why", exact=True)).to_be_focused()
    page.keyboard.type(why)
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("● live")


def test_what_others_do_is_seen_as_it_happens(operated: Operated, opened: Open, context: BrowserContext) -> None:
    """A halt elsewhere shows at once, on its model, in one line on top, and on the timeline with who and why; its
    page was not loaded again. Its own clock goes on by ten seconds at most, and its timer would ask after fifteen."""
    context.clock.install()
    page = opened()
    page.evaluate("window.sameDocument = true")
    context.clock.pause_at(page.evaluate("Date.now() + 1000"))
    model = page.locator("#model-loans")
    expect(model).not_to_contain_text("halted")
    operated.halt("loans", "It answers in riddles")
    newest = page.get_by_role("log").get_by_role("listitem").first
    for _ in range(LOOKS):
        context.clock.run_for(REST_MS // 10)
        with suppress(AssertionError):
            expect(newest).to_contain_text("It answers in riddles", timeout=REST_MS // 2)
            break
    expect(model).to_contain_text("Halted: every request waits for a person.")
    expect(page.locator("#verdict")).to_contain_text("1 of 3 models is in trouble: loans")
    expect(newest).to_contain_text("Halted: every request waits for a person. olga@example.org It answers in riddles")
    assert page.evaluate("window.sameDocument")


def test_a_model_is_halted_and_resumed_by_keys(opened: Open) -> None:
    """`h` shows what a halt means to the queue; the modes, the reason and Enter do it. One is led back to the model,
    and `h` lifts it; Escape changes nothing."""
    page = opened()
    in_front(page, "sentiment")
    page.keyboard.press("h")
    expect(page.get_by_role("heading", level=1)).to_have_text("Halt sentiment")
    expect(page.get_by_role("list", name="What it does to the queue")).to_contain_text("hold")
    leave(page)
    expect(page.locator("#live")).to_have_text("● live")
    expect(page.locator("#model-sentiment")).to_be_focused()
    page.keyboard.press("h")
    expect(page.get_by_label("review")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("It answers in riddles")
    page.keyboard.press("Enter")
    model = page.locator("#model-sentiment")
    expect(model).to_contain_text("Halted: every request gets the declared fallback.")
    expect(model).to_contain_text("It answers in riddles")
    expect(model).to_be_focused()
    page.keyboard.press("h")
    confirm(page, "Resume sentiment", "The upstream is back")
    expect(page.locator("#model-sentiment")).not_to_contain_text("halted")


def test_a_release_is_promoted_and_rolled_back_by_keys(operated: Operated, opened: Open) -> None:
    """`p` and `r` lead to what will change and the gate; the reason and Enter do it, and the page shows what serves."""
    page = opened()
    in_front(page, "grades")
    page.keyboard.press("p")
    expect(page.get_by_text("The gate says: promote")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("policy.hold_below")
    confirm(page, "Promote grades@2", "Holds more of what it is unsure of")
    model = page.locator("#model-grades")
    expect(model.locator("dd").first).to_contain_text("grades@2")
    operated.position()
    log = page.get_by_role("log")
    expect(log).to_contain_text("grades@2 was promoted in the place of grades@1.")
    page.keyboard.press("r")
    expect(page.get_by_role("main")).to_contain_text("grades@2 is marked withdrawn")
    confirm(page, "Roll back to grades@1", "Too many holds")
    expect(model.locator("dd").first).to_contain_text("grades@1")
    operated.position()
    expect(log).to_contain_text("Rolled back to grades@1; grades@2 is withdrawn.")


def test_flags_and_trials_are_a_key_away(operated: Operated, opened: Open) -> None:
    """A flag says what switching means; a release goes on trial, its canary opens, and the trial ends: a key each."""
    operated.add("loans", hold_below=0.8)
    page = opened()
    in_front(page, "loans")
    page.keyboard.press("2")
    confirm(page, "Switch loans.shadow on", "To compare")
    expect(page.locator("#model-loans")).to_contain_text("shadow is on")
    page.keyboard.press("t")
    confirm(page, "Try loans@2", "It holds more")
    expect(page.locator("#model-loans")).to_contain_text("canary closed")
    page.keyboard.press("c")
    confirm(page, "Open the canary of loans@2", "For a few")
    expect(page.locator("#model-loans")).to_contain_text("canary open")
    page.keyboard.press("t")
    confirm(page, "End the trial of loans@2", "Enough seen")
    expect(page.locator("#model-loans")).not_to_contain_text("canary")


def test_a_flag_is_let_on_step_by_step_by_keys(operated: Operated, opened: Open) -> None:
    """`g` leads to the rollout; its steps are written, shown as they will be taken, and begun; a key each pauses it,
    takes the next step and aborts it, which switches the flag off. What was written wrongly is told, and kept."""
    page = opened()
    in_front(page, "sentiment")
    page.keyboard.press("g")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rollout of sentiment.automated")
    hears(page)
    page.keyboard.press("w")
    expect(page.get_by_label("Steps")).to_be_focused()
    page.get_by_label("Steps").fill("10%\n5%")
    page.get_by_role("button", name="Look at what will change…").click()
    expect(page.get_by_role("alert")).to_contain_text("Step 2 is 5 %")
    expect(page.get_by_label("Steps")).to_have_value("10%\n5%")
    page.get_by_label("Steps").fill("5% 1h\n50% approval\n100%")
    page.get_by_role("button", name="Look at what will change…").click()
    expect(page.get_by_role("main")).to_contain_text("Then 50 %, after 1h.")
    take(page, "Let sentiment.automated on step by step", "A week without an error")
    expect(page.get_by_role("main")).to_contain_text("It is at 5 %, step 1 of 3, and waits for 60m of its pause of 1h.")
    hears(page)
    page.keyboard.press("n")
    take(page, "Next step: the rollout of sentiment.automated", "Enough seen")
    expect(page.get_by_role("main")).to_contain_text("It is at 50 %, step 2 of 3, and waits for an approval.")
    hears(page)
    page.keyboard.press("p")
    take(page, "Pause: the rollout of sentiment.automated", "A look at the audits")
    expect(page.get_by_role("main")).to_contain_text("It is paused at 50 %. A look at the audits")
    hears(page)
    page.keyboard.press("x")
    take(page, "Abort: the rollout of sentiment.automated", "Complaints")
    expect(page.get_by_role("main")).to_contain_text("was aborted at 50 %, and the flag switched off.")
    expect(page.locator(".live")).to_contain_text("○ off")


def take(page: Page, heading: str, why: str) -> None:
    """Read what will change to a rollout, say why, and confirm; one is led back to it."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_label("Why", exact=True)).to_be_focused()
    page.keyboard.type(why)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rollout of sentiment.automated")


def test_the_keys_are_shown_and_can_be_switched_off(opened: Open) -> None:
    """`?` lists every key; switched off, no key acts, and the same links are still there."""
    page = opened()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog")
    for words in ("Next model", "Roll back", "Open canary"):
        expect(keys).to_contain_text(words)
    keys.get_by_role("button", name="Shortcuts are on").press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    expect(page.get_by_role("link", name="Halt…").first).to_be_visible()
    assert page.url.endswith("/console/operations")


def test_a_hidden_page_gives_its_connection_back(opened: Open) -> None:
    """A browser has six connections for a host: a page that nobody looks at uses none, and goes on when it is seen."""
    page = opened()
    tell = "state => { Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });"
    tell += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(tell, "hidden")
    expect(page.locator("#live")).to_contain_text("this page is hidden")
    page.evaluate(tell, "visible")
    expect(page.locator("#live")).to_have_text("● live")


def test_whoever_may_not_operate_only_looks(opened: Open) -> None:
    """A lead sees how the models stand and what happened, and nothing to press; a reviewer is not let in."""
    page = opened("lena")
    expect(page.get_by_role("log")).to_contain_text("grades@1 serves")
    expect(page.get_by_role("link", name="Halt…")).to_have_count(0)
    page = opened("ada", live=False)
    expect(page.get_by_role("heading", name="Not for you")).to_be_visible()


def test_the_page_works_without_script(operated: Operated, browser: Browser) -> None:
    """What stands and what happened are there, and each act is a link to the same form."""
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([operated.scene.cookie("olga")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{operated.scene.url}/console/operations")
    expect(page.get_by_role("log")).to_contain_text("grades@1 serves")
    page.locator("#model-sentiment").get_by_role("link", name="Halt…").click()
    page.get_by_label("Why", exact=True).fill("No script, no matter")
    page.get_by_role("button", name="Halt sentiment").click()
    expect(page.locator("#model-sentiment")).to_contain_text("No script, no matter")
    page.locator("#model-sentiment").get_by_role("link", name="Resume…").click()
    page.get_by_label("Why", exact=True).fill("It was a test")
    page.get_by_role("button", name="Lift the halt").click()
    expect(page.locator("#model-sentiment")).not_to_contain_text("halted")
    context.close()


def test_a_refused_promotion_lists_its_reasons_and_may_be_forced(operated: Operated, opened: Open) -> None:
    """A model's page lists its releases and leads to the gate: it says wait and why, a promotion is refused with every
    reason, force is a choice of its own, and the history keeps who, what and why."""
    operated.add("grades", differs=True)
    page = opened(address="/console/models/grades", live=False)
    page.get_by_role("link", name="Promote grades@3…").click()
    gate = page.locator("section[aria-labelledby=gate]")
    expect(gate.get_by_role("heading")).to_have_text("The gate says: wait")
    expect(gate).to_contain_text("was not evaluated")
    page.get_by_label("Why", exact=True).fill("We know better")
    page.get_by_role("button", name="Promote grades@3").click()
    expect(page.get_by_role("alert")).to_contain_text("grades@3 cannot be promoted")
    page.get_by_label("by force").check()
    page.get_by_label("Why", exact=True).fill("We know better")
    page.get_by_role("button", name="Promote grades@3").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("grades")
    releases = page.locator("section[aria-labelledby=releases]")
    expect(releases).to_contain_text("grades@3, version 3: champion")
    page.get_by_role("link", name="Roll back…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Roll back to grades@1")
    page.get_by_label("Why", exact=True).fill("We did not")
    page.get_by_role("button", name="Roll back to grades@1").click()
    expect(releases).to_contain_text("grades@3, version 3: withdrawn")
    expect(page.locator("section[aria-labelledby=served-when]")).to_contain_text(
        "grades@1 rolled back by olga@example.org: We did not"
    )


def decide(page: Page, heading: str, why: str) -> None:
    """Read what will change, say why, and confirm; one is led back to the release."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_label("Why", exact=True)).to_be_focused()
    page.keyboard.type(why)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What it is")).to_be_visible()
    hears(page)


def test_a_release_is_tried_promoted_and_rolled_back_on_its_page(operated: Operated, opened: Open) -> None:
    """Its page shows what belongs to it, the gate, the plots and the history, and links no item that is not here; a key
    leads to each act, and from what it would change back to the page, which shows what came of it."""
    operated.add("notes")
    operated.add("notes", hold_below=0.9)
    evaluate(operated, "notes", 2)
    page = opened(address="/console/models/notes", live=False)
    page.get_by_role("link", name="notes@2", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("notes@2")
    expect(page.get_by_role("row", name="Model file ✓ kept")).to_be_visible()
    expect(page.get_by_role("img", name="Share of right answers by score")).to_have_count(2)
    expect(page.get_by_role("cell", name=ELSEWHERE)).to_be_visible()
    expect(page.get_by_role("link", name=ELSEWHERE)).to_have_count(0)
    hears(page)
    page.keyboard.press("t")
    decide(page, "Try notes@2", "It holds more")
    page.keyboard.press("c")
    decide(page, "Open the canary of notes@2", "For a few")
    expect(page.locator("section[aria-labelledby=trial]")).to_contain_text("Open, its canary open")
    page.keyboard.press("t")
    leave(page)
    hears(page)
    page.keyboard.press("p")
    decide(page, "Promote notes@2", "Holds more of what it is unsure of")
    expect(page.locator(".head")).to_contain_text("● serves")
    expect(page.get_by_role("heading", name="The gate said: promote")).to_be_visible()
    page.keyboard.press("r")
    decide(page, "Roll back to notes@1", "Too many holds")
    expect(page.locator(".head")).to_contain_text("■ withdrawn")
    operated.position()
    page.reload()
    history = page.locator("section[aria-labelledby=history]")
    expect(history).to_contain_text("Rolled back to notes@1; notes@2 is withdrawn. olga@example.org Too many holds")
    expect(history).to_contain_text("notes@2 was evaluated on the dataset")
    hears(page)
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("notes")
