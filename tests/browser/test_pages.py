"""The console's other pages in a real browser: signing in, models and their flags, predictions, queues, people."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.scene import Scene

SignIn = Callable[[str], Page]
PASSWORD = "a long and winding password"


def test_signing_in_leads_where_one_wanted_to_go(scene: Scene, page: Page) -> None:
    """A page asks for signing in first and comes up afterwards; a wrong password is said in a sentence."""
    scene.set_password("olga", PASSWORD)
    page.goto(f"{scene.url}/console/models/sentiment")
    page.get_by_label("E-mail address").fill("olga@example.org")
    page.get_by_label("Password").fill("something else entirely")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Address and password do not belong together.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("sentiment")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_signing_in_leads_nowhere_else(scene: Scene, page: Page) -> None:
    """An address outside of the console that somebody put into the link is not followed."""
    scene.set_password("olga", PASSWORD)
    page.goto(f"{scene.url}/console/sign-in?next=https://elsewhere.example/")
    page.get_by_label("E-mail address").fill("olga@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Operations")


def test_an_invitation_is_shown_once_and_used_once(scene: Scene, signed_in: SignIn) -> None:
    """An admin's link lets one person in with its roles; the second time it says that it is over."""
    page = signed_in("adam")
    page.goto(f"{scene.url}/console/people")
    page.get_by_role("checkbox", name="lead").check()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("code.secret").inner_text()
    page.goto(f"{scene.url}/console/people")
    expect(page.locator("code.secret")).to_have_count(0)
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_text("You join as reviewer, lead.")).to_be_visible()
    page.get_by_label("Your name").fill("Nora")
    page.get_by_label("E-mail address").fill("nora@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("link", name="Queues")).to_be_visible()
    page.goto(link)
    expect(page.get_by_text("ask for a new one")).to_be_visible()


def test_roles_are_given_and_taken(scene: Scene, signed_in: SignIn) -> None:
    """An admin gives and takes roles; the last admin stays one."""
    page = signed_in("adam")
    page.goto(f"{scene.url}/console/people")
    page.get_by_label("A role for Ada", exact=True).select_option("auditor")
    page.get_by_role("row", name="ada@example.org").get_by_role("button", name="Give").click()
    page.get_by_role("button", name="Take auditor from Ada").click()
    expect(page.get_by_role("button", name="Take auditor from Ada")).to_have_count(0)
    page.get_by_role("button", name="Take admin from Adam").click()
    expect(page.get_by_role("alert")).to_contain_text("the last admin")


def test_a_flag_is_switched_with_a_reason(scene: Scene, signed_in: SignIn) -> None:
    """The switch wants a reason, and the history shows who switched what, before and after, and why."""
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/models")
    page.get_by_role("link", name="sentiment", exact=True).click()
    flag = page.locator(".flag").first
    flag.get_by_role("button", name="Switch on").click()
    expect(flag).to_contain_text("every request is held for a person")  # the browser asks for the reason first
    flag.get_by_label("Why").fill("The evening shift has gone home")
    flag.get_by_role("button", name="Switch on").click()
    expect(flag).to_contain_text("on for everybody")
    expect(flag).to_contain_text("off → on for everybody, olga@example.org")
    expect(flag).to_contain_text("The evening shift has gone home")


def test_a_model_is_halted_and_resumed(scene: Scene, signed_in: SignIn) -> None:
    """A halt says what it means, with its reason, until it is lifted with another."""
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/models/sentiment")
    page.get_by_label("refuse").check()
    page.get_by_label("Why", exact=True).fill("It answers in riddles")
    page.get_by_role("button", name="Halt sentiment").click()
    expect(page.locator(".note")).to_contain_text("every request is refused. It answers in riddles")
    page.get_by_label("Why", exact=True).fill("The upstream is back")
    page.get_by_role("button", name="Lift the halt").click()
    expect(page.get_by_role("button", name="Halt sentiment")).to_be_visible()


def test_who_may_not_operate_sees_no_switch(scene: Scene, signed_in: SignIn) -> None:
    """A reviewer sees what serves, and nothing that they could not do."""
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/models/sentiment")
    expect(page.get_by_role("heading", name="Flags")).to_be_visible()
    expect(page.get_by_role("button", name="Switch on")).to_have_count(0)
    expect(page.get_by_role("button", name="Halt")).to_have_count(0)
    page.goto(f"{scene.url}/console/people")
    expect(page.get_by_role("heading", name="Not for you")).to_be_visible()


def test_a_predictions_page_tells_its_story(scene: Scene, signed_in: SignIn) -> None:
    """Input, rule with its numbers, verdict, outcome and what the caller was told; a replayed verdict is marked."""
    scene.replay("ada")
    held = scene.hold("not bad at all")
    lane = signed_in("ada")
    lane.goto(f"{scene.url}/console/lane")
    lane.get_by_role("button", name="positive").click()
    expect(lane.get_by_role("status")).to_contain_text("Corrected")
    scene.caller_is_told(held)
    page = signed_in("lena")
    page.goto(f"{scene.url}/console/predictions/{held.prediction_id}")
    told = page.locator("main")
    for words in (
        "not bad at all",
        "sentiment@1",
        "Confidence 0.41, held below 0.60.",
        "corrected: positive",
        "Revision 1: positive",
        "the answer",
    ):
        expect(told).to_contain_text(words)
    expect(told.locator(".replayed")).to_have_text("replayed")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(told).to_be_visible()


def test_nothing_is_there(scene: Scene, signed_in: SignIn) -> None:
    """An unknown prediction and an unknown page are told on a page, with a way back."""
    page = signed_in("lena")
    for address in ("/console/predictions/01a2056e-b7be-73dd-a7cf-8547dca30ef7", "/console/nowhere/at/all"):
        page.goto(f"{scene.url}{address}")
        expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
        expect(page.get_by_role("link", name="Back")).to_be_visible()


def test_a_lead_sees_queues_and_changes_their_members(scene: Scene, signed_in: SignIn) -> None:
    """Sizes, members and what waits for a lead; somebody comes into a queue and leaves it."""
    scene.hold("not bad at all")
    page = signed_in("lena")
    page.goto(f"{scene.url}/console/queues")
    queue = page.locator(".panel").first
    expect(queue.locator(".figures")).to_contain_text("in line1")
    queue.get_by_label("Who joins default").select_option(label="Olga, olga@example.org")
    queue.get_by_role("button", name="Add").click()
    queue.get_by_role("button", name="Take Olga out of default").click()
    expect(queue.get_by_role("button", name="Take Olga out of default")).to_have_count(0)


def test_a_lead_decides_what_was_escalated(scene: Scene, signed_in: SignIn) -> None:
    """An escalated case stands on the queues page, and the lead's answer settles it."""
    held = scene.hold("not bad at all")
    lane = signed_in("ada")
    lane.goto(f"{scene.url}/console/lane")
    lane.get_by_role("button", name="Escalate").click()
    expect(lane.get_by_role("status")).to_contain_text("A lead decides.")
    page = signed_in("lena")
    page.goto(f"{scene.url}/console/queues")
    page.get_by_role("link", name="Decide this held answer").click()
    expect(page.get_by_role("button", name="Escalate")).to_have_count(0)
    page.get_by_role("button", name="positive").click()
    expect(page.get_by_role("link", name="Decide this held answer")).to_have_count(0)
    page.goto(f"{scene.url}/console/predictions/{held.prediction_id}")
    expect(page.get_by_role("main")).to_contain_text("as lead")
    expect(page.get_by_role("main")).to_contain_text("Revision 1: positive")
