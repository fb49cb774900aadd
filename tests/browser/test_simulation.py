"""A simulation in a real browser: proposed, waited for, read, compared, and named by the change that follows."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.scene import Scene
from tests.browser.simulation_scene import record_a_week, simulate_waiting

SignIn = Callable[[str], Page]


def test_a_change_is_simulated_before_it_is_made(scene: Scene, signed_in: SignIn, tmp_path: Path) -> None:
    """The form proposes, the page waits by itself for the result, two are compared, and a flip names the one it rests
    on."""
    record_a_week(scene, tmp_path)
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/models/sentiment")
    page.get_by_role("link", name="Simulate a change").press("Enter")
    page.get_by_label("Hold below").fill("much")
    page.get_by_role("button", name="Simulate").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("'much' is no number")
    page.get_by_label("Hold below").fill("")
    page.get_by_label("sentiment.automated", exact=True).select_option("on")
    page.get_by_role("button", name="Simulate").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What automated=on would do to sentiment")
    expect(page.get_by_role("button", name="Cancel this simulation")).to_be_visible()
    simulate_waiting(scene, tmp_path)
    expect(page.get_by_role("heading", name="Wrong answers to be expected")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel this simulation")).to_have_count(0)
    expect(page.get_by_role("main")).to_contain_text("Every request of the window could be judged")
    first = page.url

    page.get_by_role("link", name="All simulations").click()
    page.get_by_label("sentiment.automated", exact=True).select_option("on")
    page.get_by_label("Hold below").fill("0.8")
    page.get_by_role("button", name="Simulate").click()
    simulate_waiting(scene, tmp_path)
    expect(page.get_by_role("button", name="Compare")).to_be_visible()
    page.get_by_role("button", name="Compare").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("The other proposal: automated=on")

    page.goto(first)
    page.get_by_role("link", name="Make a change that names this simulation").click()
    flag = page.locator(".flag").first
    flag.get_by_label("Why").fill("as simulated")
    flag.get_by_role("button", name="Switch on").press("Enter")
    page.get_by_role("link", name="as simulated").click()
    expect(page).to_have_url(first)
