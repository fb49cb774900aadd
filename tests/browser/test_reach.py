"""Who cannot see, point or bear bright light uses the console too: names, order, focus, contrast, narrow windows."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.scene import Scene

SignIn = Callable[[str], Page]
PAGES = {
    "sign in": ("", "/console/sign-in"),
    "lane": ("ada", "/console/lane"),
    "operations": ("olga", "/console/operations"),
    "an act": ("olga", "/console/operations/sentiment/halt"),
    "models": ("olga", "/console/models"),
    "model": ("olga", "/console/models/sentiment"),
    "queues": ("lena", "/console/queues"),
    "people": ("adam", "/console/people"),
    "corrections": ("lena", "/console/corrections"),
}
FAULTS = """() => {
  const faults = [];
  const seen = (one) => one.checkVisibility();
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  if (all("main").length !== 1) faults.push("there must be one main");
  if (document.querySelectorAll("h1").length !== 1) faults.push("there must be one first heading");
  if (!document.documentElement.lang) faults.push("the page names no language");
  for (const one of all("input:not([type=hidden]), select, textarea")) {
    if (!one.labels.length) faults.push(`no label: ${one.name}`);
  }
  for (const one of all("button, a")) {
    if (!(one.getAttribute("aria-label") ?? one.textContent).trim()) faults.push(`no name: ${one.outerHTML}`);
  }
  for (const one of all("img")) if (!one.alt) faults.push("a picture without words");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: ${id}`);
  let level = 0;
  for (const one of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (!one.checkVisibility() || one.closest(".guideline")) continue;
    const next = Number(one.tagName[1]);
    if (next > level + 1) faults.push(`heading ${next} follows ${level}: ${one.textContent}`);
    level = next;
  }
  for (const one of all("[data-key]")) {
    const said = one.getAttribute("aria-keyshortcuts").split("+").pop();
    if (said !== one.dataset.key) faults.push(`${one.dataset.key} is announced as ${said}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than its window");
  return faults;
}"""
CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const one of document.querySelectorAll("main *, header *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility({ opacityProperty: true })) continue;
    if (one.matches(":disabled, :disabled *, option") || one.closest(".unseen, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${one.textContent.trim().slice(0, 40)}`);
  }
  return weak;
}"""


def visits(scene: Scene, browser: Browser, **options: Any) -> Iterator[tuple[str, Page, Response | None]]:
    """Each page of the list in turn, opened by whom it is for, with a hold to see."""
    scene.hold("not bad at all")
    with browser.new_context(reduced_motion="reduce", **options) as context, context.new_page() as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for name, (who, address) in PAGES.items():
            page.goto("about:blank")  # the page before it would go on asking, for nobody
            context.clear_cookies()
            if who:
                context.add_cookies([scene.cookie(who)])  # type: ignore[list-item]
            yield name, page, page.goto(f"{scene.url}{address}")
            assert complaints == [], name


def test_everything_has_a_name_and_a_place(scene: Scene, browser: Browser) -> None:
    """Fields have labels, buttons names, headings their order, keys one announcement; also in a narrow window."""
    wide, narrow = {"width": 1280, "height": 720}, {"width": 360, "height": 740}
    for name, page, _ in visits(scene, browser):
        page.set_viewport_size(wide)
        assert page.evaluate(FAULTS) == [], name
        page.set_viewport_size(narrow)
        assert page.evaluate(FAULTS) == [], f"{name}, narrow"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out(scene: Scene, browser: Browser, scheme: str) -> None:
    """Text has a contrast of at least 4.5 to 1, by day and by night."""
    for name, page, _ in visits(scene, browser, color_scheme=scheme):
        assert page.evaluate(CONTRAST) == [], name


def test_pages_allow_nothing_inline(scene: Scene, browser: Browser) -> None:
    """Every page carries the strict Content-Security-Policy, and none of them breaks it."""
    for name, _, answer in visits(scene, browser):
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy, name
        assert "default-src 'none'" in policy, name


def test_the_keyboard_gets_everywhere(scene: Scene, signed_in: SignIn) -> None:
    """Tab leads from the skip link on, and what has the focus shows it."""
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/models/sentiment")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="All models")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_one_voice_tells_what_happened(scene: Scene, signed_in: SignIn) -> None:
    """The lane has one live region, and it is polite."""
    page = signed_in("ada")
    page.goto(f"{scene.url}/console/lane")
    expect(page.locator("[aria-live]")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_attribute("aria-live", "polite")
