"""The README is true: its tour says what the demo says, and its steps lead from an empty folder to an answer."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from demo.home import HOME
from demo.models.build import make_props
from demo.models.figures import predict
from demo.opening import opening_item
from demo.play import words
from demo.play.callers import Told
from demo.play.screen import Screen
from tests.acceptance.newcomer import newcomer
from tests.acceptance.readme import followed, hold_true, marked

LINK = "http://127.0.0.1:8003/reviewer/9fq2Xw0K"
LATENCY_MS = 31.0


def test_a_newcomer_serves_a_model_of_their_own(
    tmp_path: Path, page: Page, client_python: Callable[[str], Path]
) -> None:
    """Whoever follows the README in an empty folder gets what it shows, up to calls by both stock clients."""
    folder = tmp_path / "flowers"
    folder.mkdir()
    with newcomer(folder, page, client_python) as person:
        said = followed()
        hold_true(said, [person.follow(block) for block in said])


def test_the_tour_shows_what_the_demo_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tour's output is the demo's own, of its first caller and of the answer that a person gave."""
    monkeypatch.setenv("COLUMNS", "80")
    props = make_props(HOME)
    item = opening_item(props.held_out)
    model = next(built for built in props.models if built.name == item.model)
    (alone,) = predict(model.onnx.read_bytes(), [item])
    told = Told(item=item, status=200, arrived_us=0, review_status="corrected", answer="negative")
    opening, answered = io.StringIO(), io.StringIO()
    words.tell_opening(Screen(opening), item, alone)
    words.tell_waiting(Screen(opening), LINK, opened=False)
    words.tell_answered(Screen(answered), told, LATENCY_MS, alone)
    said = [marked("made by a test: opening"), marked("made by a test: answered")]
    printed = [out.getvalue().strip("\n") + "\n" for out in (opening, answered)]
    hold_true(said, [block._replace(text=text) for block, text in zip(said, printed, strict=True)])
