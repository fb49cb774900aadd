"""From a model file to a card that is taken: inspect, what its owner does to the draft, check, add."""

import re

import pytest

from demo.home import HOME
from demo.models.build import BuiltModel, make_props
from gateway.inference.admission import admit
from gateway.inference.guess import guess
from gateway.registry.adding import Adding, add
from gateway.registry.checking import check
from lockgate.drafting import draft_card
from tests.integration.registry.scene import Scene
from tests.models import add_sub, identity, mixes_rows, network_classifier, tabular, text_classifier

BLANKS = ("owner", "contact", "intended_use", "limitations", "guideline")


@pytest.fixture(scope="module")
def models() -> dict[str, BuiltModel]:
    """The demo's models by name."""
    return {model.name: model for model in make_props(HOME).models}


def confirmed(draft: str) -> str:
    """The draft as its owner leaves it: the blanks filled in, and nothing left to confirm."""
    for blank in BLANKS:
        draft = draft.replace(f'{blank} = ""', f'{blank} = "Said by its owner."')
    return re.sub(r"confirm = \[.*?\]", "confirm = []", draft, count=1, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["sentiment", "digits", "loans"])
async def test_a_confirmed_draft_is_taken(name: str, models: dict[str, BuiltModel], scene: Scene) -> None:
    """For each model of the demo the draft, once its guesses are confirmed, passes check and is added."""
    file = models[name].onnx
    report = await admit(file)
    draft = draft_card(report, guess(report))
    card = confirmed(draft)
    assert (await check(file, card)).faults == ()
    adding = Adding(tenant_id=scene.tenant_id, name=name, file=file, card=card, by="person:ada@example.org")
    assert (await add(scene.ledger, scene.artifacts, adding)).release == f"{name}@1"


async def test_an_unconfirmed_draft_is_refused_with_its_places(models: dict[str, BuiltModel]) -> None:
    """Every place that is still to confirm, and every blank, is told at once."""
    file = models["sentiment"].onnx
    report = await admit(file)
    faults = (await check(file, draft_card(report, guess(report)))).faults
    places = [fault.partition(":")[0] for fault in faults]
    assert places == [
        "shown",
        "answer.output",
        "answer.confidence",
        "answer.classes",
        "outcome",
        "labels",
        "policy",
        "about.owner",
        "about.contact",
        "about.intended_use",
        "about.limitations",
        "guideline",
    ]


@pytest.mark.parametrize(
    "file",
    [text_classifier, network_classifier, tabular, add_sub, identity, mixes_rows],
    ids=lambda made: made.__name__,
)
async def test_any_admitted_file_gets_a_draft_that_fits(file: object, scene: Scene) -> None:
    """Whatever the model is, its confirmed draft has no fault: classes or none, one item or many."""
    path = scene.folder / "model.onnx"
    path.write_bytes(file())  # type: ignore[operator]
    report = await admit(path)
    assert (await check(path, confirmed(draft_card(report, guess(report))))).faults == ()


async def test_a_file_that_is_none_is_told_with_the_faults_of_its_card(scene: Scene) -> None:
    """A refused file does not hide what is wrong with the card."""
    path = scene.folder / "model.onnx"
    path.write_bytes(b"not a model")
    checked = await check(path, "nonsense = 1")
    assert checked.report is None
    assert "not an ONNX model" in checked.faults[0]
    assert any(fault.startswith("nonsense:") for fault in checked.faults)
