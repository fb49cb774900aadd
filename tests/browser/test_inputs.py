"""Inputs as cards declare them, in a real browser: a picture pixel by pixel, a table with its titles."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.scene import Scene

SignIn = Callable[[str], Page]
PIXEL = """(img) => {
  const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(img, 0, 0);
  const step = img.naturalWidth / 8;
  return [...Array(8).keys()].map((x) => context.getImageData((x + 0.5) * step, 1, 1, 1).data[0]);
}"""


def test_a_picture_is_crisp(scene: Scene, signed_in: SignIn) -> None:
    """Eight grey values of a tensor are eight even fields of a picture, between the card's black and white."""
    scene.hold_digit([0, 2, 4, 6, 8, 12, 14, 16])
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/lane")
    picture = page.get_by_role("img", name="Scan")
    expect(picture).to_be_visible()
    assert picture.evaluate(PIXEL) == [0, 32, 64, 96, 128, 191, 223, 255]


def test_a_table_has_its_titles(scene: Scene, signed_in: SignIn) -> None:
    """What was sent beside the tensors stands under the column titles of the card."""
    scene.hold_application()
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/lane")
    card = page.locator(".card:visible")
    expect(card.get_by_role("figure").get_by_text("Loan to price", exact=True)).to_be_visible()
    expect(card.get_by_role("definition").filter(has_text="60 days past due")).to_be_visible()


def test_a_class_key_that_a_command_has_keeps_both(scene: Scene, signed_in: SignIn) -> None:
    """Ten classes on ten digits: each key answers with its own."""
    scene.hold_digit([0] * 8)
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/lane")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("0")
    expect(page.get_by_role("status")).to_contain_text("Corrected: 9 → 0.")


def test_a_number_is_written(scene: Scene, signed_in: SignIn) -> None:
    """Where the answer is a number, `c` leads to its field and Enter sends it; what is none comes back with a word."""
    scene.hold_temperature(21.0)
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/lane")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("mild")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("“mild” is not a number")
    field = page.get_by_label("Or write the right answer in °C")
    expect(field).to_have_value("mild")
    field.fill("19,5")
    field.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Corrected: 21 °C → 19.5 °C.")
    assert scene.verdicts() == [("correct", "19.5", None)]


def test_a_number_is_approved(scene: Scene, signed_in: SignIn) -> None:
    """`a` approves the number that the model gave."""
    scene.hold_temperature(21.0)
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/lane")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Approved: 21 °C.")
