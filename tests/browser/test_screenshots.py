"""The pictures of the documentation: `SCREENSHOTS=write` keeps them in docs/images, any other run only takes them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.evaluated import evaluate
from tests.browser.operations_scene import Operated
from tests.browser.scene import Scene
from tests.browser.simulation_scene import record_a_week, simulate_waiting

IMAGES = Path(__file__).parents[2] / "docs" / "images"
Shoot = Callable[[Page, str], None]


@pytest.fixture
def shoot(tmp_path: Path) -> Shoot:
    """A function that takes a picture of a page under the name it has in the documentation."""
    folder = IMAGES if os.environ.get("SCREENSHOTS") == "write" else tmp_path

    def take(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=name in ("prediction", "operations", "simulation"))
        assert (IMAGES / f"{name}.png").exists(), f"docs/images/{name}.png: run with SCREENSHOTS=write"

    return take


def opened(scene: Scene, browser: Browser, who: str, address: str, **options: object) -> Page:
    """A page as its picture shows it."""
    size = {"width": 1180, "height": 720}
    context = browser.new_context(viewport=size, device_scale_factor=1.5, reduced_motion="reduce", **options)  # type: ignore[arg-type]
    context.add_cookies([scene.cookie(who)])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{scene.url}{address}")
    expect(page.get_by_role("main")).to_be_visible()
    return page


def test_the_lane(scene: Scene, browser: Browser, shoot: Shoot) -> None:
    """The lane with a sentence for which a caller waits."""
    scene.hold("has destroyed several of my dvds and cds.", answer="positive")
    page = opened(scene, browser, "ada", "/console/lane")
    expect(page.locator(".card:visible blockquote")).to_be_visible()
    shoot(page, "lane")
    page.context.close()


def test_the_lane_by_night(scene: Scene, browser: Browser, shoot: Shoot) -> None:
    """The lane with a picture, dark."""
    scene.hold_digit([0, 0, 5, 13, 9, 1, 0, 0])
    page = opened(scene, browser, "ada", "/console/lane", color_scheme="dark")
    expect(page.get_by_role("img", name="Scan")).to_be_visible()
    shoot(page, "lane-dark")
    page.context.close()


def test_a_model(scene: Scene, browser: Browser, shoot: Shoot) -> None:
    """A model with its flag switched on."""
    page = opened(scene, browser, "olga", "/console/models/sentiment")
    flag = page.locator(".flag").first
    flag.get_by_label("Why").fill("The first week went well")
    flag.get_by_role("button", name="Switch on").click()
    expect(flag).to_contain_text("on for everybody")
    shoot(page, "model")
    page.context.close()


def test_a_prediction(scene: Scene, browser: Browser, shoot: Shoot) -> None:
    """The story of a corrected answer."""
    held = scene.hold("has destroyed several of my dvds and cds.", answer="positive")
    lane = opened(scene, browser, "ada", "/console/lane")
    lane.get_by_role("button", name="negative").click()
    expect(lane.get_by_role("status")).to_contain_text("Corrected")
    scene.caller_is_told(held)
    page = opened(scene, browser, "lena", f"/console/predictions/{held.prediction_id}")
    expect(page.get_by_role("main")).to_contain_text("corrected: negative")
    shoot(page, "prediction")
    lane.context.close()
    page.context.close()


def test_operations(scene: Scene, browser: Browser, shoot: Shoot, tmp_path: Path) -> None:
    """Three models: one that answers by itself, one that is halted, one before people; and what a promotion changes."""
    world = Operated(scene, tmp_path)
    for name, policy in (("loans", {}), ("tickets", {}), ("tickets", {"hold_below": 0.7, "audit_rate": 0.05})):
        world.add(name, **policy)
    world.switch_on("tickets.automated", "The first week went well")
    world.answer("tickets", automated=1180, review=96)
    world.halt("loans", "It grants what it should refuse since noon")
    scene.hold("has destroyed several of my dvds and cds.")
    page = opened(scene, browser, "olga", "/console/operations")
    expect(page.locator("#live")).to_have_text("● live")
    shoot(page, "operations")
    page.goto(f"{scene.url}/console/models/tickets/releases/2/promotion?back=operations")
    expect(page.get_by_role("heading", name="What will change")).to_be_visible()
    shoot(page, "promotion")
    page.context.close()


def test_a_release(scene: Scene, browser: Browser, shoot: Shoot, tmp_path: Path) -> None:
    """A release on trial: what belongs to it, the gate, its trial and its history; below them its evaluation."""
    world = Operated(scene, tmp_path)
    world.add("tickets")
    world.add("tickets", differs=True, hold_below=0.7)
    evaluate(world, "tickets", 2)
    world.open_trial("tickets", 2, "It learned from October's corrections")
    page = opened(scene, browser, "olga", "/console/models/tickets/releases/2")
    expect(page.get_by_role("heading", name="The gate says: wait")).to_be_visible()
    shoot(page, "release")
    page.context.close()


def test_a_simulation(scene: Scene, browser: Browser, shoot: Shoot, tmp_path: Path) -> None:
    """What letting the sure answers of a week go out would have done, and the form that asked."""
    record_a_week(scene, tmp_path)
    page = opened(scene, browser, "olga", "/console/models/sentiment/simulations")
    page.get_by_label("sentiment.automated", exact=True).select_option("on")
    page.get_by_label("Hold below").fill("0.8")
    shoot(page, "simulate")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("button", name="Cancel this simulation")).to_be_visible()
    simulate_waiting(scene, tmp_path)
    expect(page.get_by_role("heading", name="Cases an hour")).to_be_visible()
    shoot(page, "simulation")
    page.context.close()
