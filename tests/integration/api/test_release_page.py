"""The console's page of a release: what belongs to it, what is known of it, and who may do what with it."""

from pathlib import Path
from typing import Any

from gateway.store.events import position_events
from tests.integration.api.conftest import Api
from tests.integration.learning.test_evaluating import turned
from tests.integration.registry.scene import CARD
from tests.integration.release.scene import damage

MODEL = "/console/models/numbers"
RELEASE = f"{MODEL}/releases/2"


async def page(api: Api, who: str, path: str = RELEASE, status: int = 200) -> str:
    """A page as somebody sees it."""
    headers = {"authorization": f"Bearer {api.keys[who]}"}
    answer = await api.scene.http.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.text


async def do(api: Api, method: str, path: str, **given: Any) -> dict[str, Any]:
    """Do something as an operator."""
    answer = await api.ask("operator", method, path, timeout=60, **given)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else {}


async def tried(api: Api) -> dict[str, Any]:
    """A second release that was trained on a dataset, evaluated and is on trial; its evaluation."""
    frozen = await do(api, "POST", "/models/numbers/datasets", json={})
    card = CARD.replace('kind = "choice"', 'kind = "choice"\nreasons = ["torn"]\nowners.torn = "Scanning & Sons"')
    files = {"file": ("model.onnx", turned()), "card": ("model.toml", card)}
    await do(api, "POST", "/models/numbers/versions", files=files, data={"data": frozen["dataset"]})
    evaluated = await do(api, "POST", "/releases/numbers@2/evaluations", json={"dataset": frozen["dataset"]})
    await do(api, "PUT", "/models/numbers/trial", json={"release": 2, "why": "it learned <more>"})
    async with api.scene.ledger.writing() as w:
        await position_events(w)
    return evaluated


async def test_a_release_has_one_page_with_everything(learned: Api, tmp_path: Path) -> None:
    """Parts with digests, owners, gate, plots, trial and history for an auditor; the acts beside them for an operator;
    a reviewer sees what the release is, and neither figures nor acts. Each part is told once it is not what it was."""
    evaluated = await tried(learned)
    seen = await page(learned, "auditor")
    for words in (
        evaluated["report"], evaluated["dataset"], "Annotation history", "Nobody said how its version was trained.",
        "owned by Scanning &amp; Sons", "The gate says:", "Calibration", "What the figures say",
        "/console/predictions/",
        f"/console/evaluations/{evaluated['id']}", "trial?release=2", "Nothing has been compared yet.",
        'numbers@2</a> went on trial.', "it learned &lt;more&gt;", "numbers-2.bundle.zip",
    ):  # fmt: skip
        assert words in seen, words
    acts = (f"{RELEASE}/promotion?back=2", "/console/operations/numbers/end-trial?back=2", "numbers/canary?back=2")
    shown = await page(learned, "operator")
    assert [act in shown for act in acts] == [True, True, True]
    assert not any(act in seen for act in acts)
    seen = await page(learned, "reviewer")
    assert ("The gate says:" in seen, "Scanning &amp; Sons" in seen) == (True, True)
    assert not any(words in seen for words in (*acts, "Calibration", "went on trial", "bundle", evaluated["id"]))

    assert "numbers@2" in await page(learned, "auditor", f"{MODEL}/trial?release=2")
    for path, where in (
        (MODEL, RELEASE), ("/console/models", f"{MODEL}/releases/1"), ("/console/operations", RELEASE),
        (f"{MODEL}/trial", RELEASE), (f"/console/evaluations/{evaluated['id']}", RELEASE),
    ):  # fmt: skip
        assert f'href="{where}"' in await page(learned, "auditor", path), path

    report = evaluated["report"]
    damage(tmp_path / "artifacts" / report[:2] / report[2:])
    seen = await page(learned, "auditor")
    for words in ("■ other bytes", "The gate says: refuse", "Its report is missing, or has other bytes"):
        assert words in seen, words


async def test_there_is_no_page_of_a_release_that_is_not_there(api: Api) -> None:
    """Nor of its trial, nor for somebody who is not signed in; and the pages of acts name a release that exists."""
    await api.add()
    for number in ("2", "x", "9" * 12):
        await page(api, "auditor", f"{MODEL}/releases/{number}", 404)
    await page(api, "auditor", f"{MODEL}/trial?release=1", 404)
    await page(api, "operator", "/console/operations/numbers/trial?number=7", 404)
    assert (await api.scene.http.get(f"{MODEL}/releases/1")).status_code == 303
