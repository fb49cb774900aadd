"""The timeline's routes: who may read it, its cursors, and what a stream refuses before it begins."""

import pytest

from gateway.store.events import position_events
from tests.integration.api.conftest import Api


@pytest.mark.parametrize(("who", "status"), [("operator", 200), ("auditor", 200), ("ci", 200), ("reviewer", 403)])
async def test_whoever_may_inspect_reads_the_timeline(api: Api, who: str, status: int) -> None:
    """Reviewers do not: it tells of trials, and a reviewer must not know which answer is the candidate's."""
    assert (await api.ask(who, "GET", "/timeline")).status_code == status


async def test_the_timeline_comes_in_pages(api: Api) -> None:
    """The latest first, with cursors; a model that nobody knows and a cursor that is none are refused."""
    await api.add()
    async with api.scene.ledger.writing() as w:
        await position_events(w)
    page = (await api.ask("auditor", "GET", "/timeline?model=numbers&limit=1")).json()
    (entry,) = page["entries"]
    assert (entry["position"], entry["model"], entry["by"]) == (
        page["newest"],
        "numbers",
        "person:operator@example.org",
    )
    older = (await api.ask("auditor", "GET", f"/timeline?before={page['oldest']}")).json()
    assert "numbers@1" in " ".join(one["said"] for one in older["entries"])
    assert (await api.ask("auditor", "GET", f"/timeline?after={page['newest']}")).json()["entries"] == []
    for path in ("/timeline?model=nobody", "/timeline/stream?model=nobody"):
        assert (await api.ask("auditor", "GET", path)).status_code == 404
    for path in ("/timeline?after=-1", "/timeline?limit=0", "/timeline/stream?after=x"):
        assert (await api.ask("auditor", "GET", path)).status_code == 400
    refused = await api.ask("auditor", "GET", "/timeline/stream", headers={"last-event-id": "x"})
    assert refused.json()["code"] == "last-event-unreadable"
    assert (await api.ask("auditor", "GET", "/timeline/stream")).json()["code"] == "too-many-streams"
