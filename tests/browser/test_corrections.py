"""The library of corrections in a real browser: found by keyboard, shared by its address, without script as well."""

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.scene import Scene

SignIn = Callable[[str], Page]


def _judged(scene: Scene, signed_in: SignIn, texts: dict[str, str]) -> None:
    """Ada judges these sentences; the model says of each that it is negative."""
    lane = signed_in("ada")
    for text, answer in texts.items():
        scene.hold(text)
        lane.goto(f"{scene.url}/console/lane")
        lane.get_by_role("button", name=answer).click()
        expect(lane.get_by_role("status")).to_contain_text("Corrected" if answer == "positive" else "Approved")


def test_a_correction_is_found_by_keyboard(scene: Scene, signed_in: SignIn) -> None:
    """Tab to the text, type, press Enter: the row shows input, both answers, who and why, and leads to its
    prediction."""
    _judged(scene, signed_in, {"not bad at all": "positive", "a sorry affair": "negative"})
    page = signed_in("lena")
    page.goto(f"{scene.url}/console/corrections")
    expect(page.get_by_role("article")).to_have_count(2)
    page.locator("#main").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Text")).to_be_focused()
    page.keyboard.type("not bad")
    page.keyboard.press("Enter")
    row = page.get_by_role("article")
    expect(row).to_have_count(1)
    for words in ("not bad at all", "the model said negative", "confidence 0.41", "Ada", "corrected: positive"):
        expect(row).to_contain_text(words)
    row.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Prediction")


def test_an_address_is_a_search(scene: Scene, signed_in: SignIn, browser: Browser) -> None:
    """What somebody found is found again at its address by somebody else, also without script; the form shows it."""
    _judged(scene, signed_in, {"not bad at all": "positive", "a sorry affair": "negative"})
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/corrections")
    page.get_by_label("The model was").select_option("wrong")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("article")).to_have_count(1)
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies([scene.cookie("lena")])  # type: ignore[list-item]
    other = plain.new_page()
    other.goto(page.url)
    expect(other.get_by_role("article")).to_have_count(1)
    expect(other.get_by_label("The model was")).to_have_value("yes")
    with other.expect_download() as download:
        other.get_by_role("link", name="csv").click()
    assert download.value.path().read_text().count("not bad at all") == 1
    plain.close()


def test_a_wrong_filter_is_said_on_the_page(scene: Scene, signed_in: SignIn) -> None:
    """The form stays as it was sent, with a sentence above it."""
    page = signed_in("lena")
    page.goto(f"{scene.url}/console/corrections?since=yesterday")
    expect(page.get_by_role("alert")).to_contain_text("a day such as 2026-11-28")
    expect(page.get_by_label("Since")).to_have_value("yesterday")


def test_a_reviewer_sees_no_other_names(scene: Scene, signed_in: SignIn) -> None:
    """What came of her queue stands there; somebody else's name does not, and no prediction is linked."""
    _judged(scene, signed_in, {"not bad at all": "positive"})
    page = signed_in("ben")
    page.goto(f"{scene.url}/console/corrections")
    row = page.get_by_role("article")
    expect(row).to_contain_text("not bad at all")
    expect(row).to_contain_text("a reviewer")
    expect(row).not_to_contain_text("Ada")
    expect(row.get_by_role("link")).to_have_count(0)
