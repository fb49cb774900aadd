"""What models take of a machine, through a real server: refused where it does not fit, told everywhere else."""

from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.cards import card
from tests.acceptance.scene import Scene, staged
from tests.models import softmax
from tests.servers.process import until

ROOM = 20 << 20
"""For one small model: it is counted with 16 MiB and twice its file."""
OTHER = b"\x12\x05other"
"""The name of its producer, as protobuf appends a field."""


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate whose gateway has memory for one model, which is `grades`."""
    with staged(tmp_path_factory.mktemp("sessions"), models_memory_max_bytes=ROOM) as scene:
        yield scene


def test_an_operator_is_told_what_takes_how_much(narrow: Scene) -> None:
    """A second release cannot be tried beside the first; promoted it serves, and the first is left cold and shown."""
    files = {"file": ("model.onnx", softmax() + OTHER), "card": ("model.toml", card().encode())}
    assert narrow.operator.post("/api/v1/models/grades/versions", files=files).is_success
    refused = narrow.operator.put("/api/v1/models/grades/trial", json={"release": 2, "why": "better"})
    assert (refused.status_code, refused.json()["code"]) == (409, "models-do-not-fit")
    assert "grades@1 (champion) takes 17 MiB" in refused.json()["error"]
    promotion = "/api/v1/models/grades/releases/2/promotion"
    assert narrow.operator.post(promotion, json={"why": "better", "force": True}).is_success

    def sessions() -> dict[str, str]:
        health = httpx.get(f"{narrow.server.monitor_url}/health", trust_env=False).json()
        found = next(each["sessions"] for each in health["processes"] if each["process"] == "gateway-1")
        return {each["release"]: each["state"] for each in found["sessions"]}

    until(lambda: sessions() == {"grades@2": "open", "grades@1": "cold"}, "the gateway follows")
    metrics = httpx.get(f"{narrow.server.monitor_url}/metrics", trust_env=False).text
    assert 'lockgate_session_bytes{release="grades@1",place="previous",state="cold",process="gateway-1"}' in metrics
    doctor = narrow.server.run("doctor", check=False).stdout
    assert "Left cold: grades@1." in doctor
    page = narrow.admin.get("/console/operations/").text
    assert "17 MiB of 20 MiB" in " ".join(page.split())
    assert "left cold for want of memory: grades@1 (previous) 17 MiB" in page


def test_a_provider_that_is_not_there_is_refused_when_the_model_is_added(narrow: Scene) -> None:
    """422 names what is wanted and what there is; nothing was added."""
    text = f'{card()}\n[session]\nproviders = ["tensorrt", "cuda"]\n'
    files = {"file": ("model.onnx", softmax()), "card": ("model.toml", text.encode())}
    refused = narrow.operator.post("/api/v1/models/grades/versions", files=files)
    assert (refused.status_code, refused.json()["code"]) == (422, "provider-absent")
    assert "wants the execution provider tensorrt or cuda, and this machine has cpu." in refused.json()["error"]
