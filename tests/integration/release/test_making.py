"""Releases without a new version, and what can be looked at: the list, one of them, two of them, the history."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.registry.card import CardRefused
from gateway.store.schema.serves import PolicyRow, ReleaseRow
from review.errors import ReasonMissing
from review.release.creating import Created, Creating, create
from review.release.errors import NoSuchVersion, NothingNew, NothingServedThen, ReleaseRefused
from review.release.looking import differ, history, list_releases, show_release
from review.release.moments import MomentRefused
from tests.integration.registry.scene import CARD
from tests.integration.release.scene import MODEL, Scene

HIGHER = CARD + "\n[policy]\nhold_below = 0.7\n"


async def make(scene: Scene, card: str, version: int | None = None, why: str = "stricter") -> Created:
    """Make a release of a card."""
    return await create(scene.registry.ledger, scene.operator, MODEL, Creating(card=card, version=version, why=why))


async def test_a_change_of_policy_is_a_release_of_the_same_version(scene: Scene) -> None:
    """It serves nobody yet; it knows its parent and why it was made, and that it may go live at once."""
    made = await make(scene, HIGHER)
    assert (made.release, made.version, made.parent, made.raises_control) == ("numbers@2", 1, "numbers@1", True)
    assert await scene.serves() == ("numbers@1", None)
    assert len(await scene.events("release.created")) == 1
    shown = await show_release(scene.registry.ledger, scene.registry.tenant_id, MODEL, 2)
    assert (shown.parent, shown.line.why, shown.line.stands, shown.policy.hold_below) == (
        "numbers@1", "stricter", "waits", 0.7,
    )  # fmt: skip
    assert [attached.role for attached in shown.attached] == ["model"]


async def test_what_lowers_human_control_is_told(scene: Scene) -> None:
    """Fewer random checks: the release is made, with the reason for which it needs a gate."""
    made = await make(scene, CARD + "\n[policy]\naudit_rate = 0.01\n")
    assert not made.raises_control
    assert made.lowered == ("policy.audit_rate falls: 0.02 -> 0.01.",)


async def test_what_is_no_release_is_refused_with_nothing_written(scene: Scene) -> None:
    """No reason, a broken card, another version's matters, an unknown version, and a card like the champion's."""
    with pytest.raises(ReasonMissing):
        await make(scene, HIGHER, why=" ")
    with pytest.raises(CardRefused):
        await make(scene, HIGHER.replace("[labels]", "[lables]"))
    with pytest.raises(CardRefused, match="'z'"):
        await make(scene, CARD + '\n[policy]\nfield_rules = [{ name = "r", input = "z", op = ">", value = 1 }]\n')
    with pytest.raises(ReleaseRefused, match="in about, too"):
        await make(scene, HIGHER.replace("Made up.", "None."))
    with pytest.raises(NoSuchVersion):
        await make(scene, HIGHER, version=4)
    with pytest.raises(NothingNew):
        await make(scene, CARD)
    assert await scene.registry.count(ReleaseRow) == await scene.registry.count(PolicyRow) == 1


async def test_the_list_says_how_each_stands(scene: Scene) -> None:
    """Champion, previous, withdrawn, and those that wait."""
    for _ in range(3):
        await scene.promote(await scene.release())
    await scene.roll_back()
    await scene.release()
    lines = await list_releases(scene.registry.ledger, scene.registry.tenant_id, MODEL)
    assert [(line.number, line.stands) for line in lines] == [
        (5, "waits"), (4, "withdrawn"), (3, "champion"), (2, "previous"), (1, "served"),
    ]  # fmt: skip
    assert [mark.why for mark in lines[1].marks] == ["worse"]


async def test_two_releases_beside_each_other(scene: Scene) -> None:
    """Each number old and new; the other way round, the other way round."""
    await make(scene, HIGHER)
    tenant_id = scene.registry.tenant_id
    found = await differ(scene.registry.ledger, tenant_id, MODEL, 1, 2)
    assert [each.sentence for each in found.changes] == ["policy.hold_below: 0.0 -> 0.7"]
    back = await differ(scene.registry.ledger, tenant_id, MODEL, 2, 1)
    assert [each.sentence for each in back.changes] == ["policy.hold_below: 0.7 -> 0.0"]


async def test_the_history_answers_what_served_then(scene: Scene) -> None:
    """From when to when, who and why; for a moment the one that served, and before the first one nothing."""
    await scene.promote(await scene.release(), why="better")
    await scene.roll_back(why="worse")
    ledger, tenant_id = scene.registry.ledger, scene.registry.tenant_id
    served = await history(ledger, tenant_id, MODEL)
    assert [(each.release, each.action, each.why) for each in served] == [
        ("numbers@1", "rolled_back", "worse"),
        ("numbers@2", "promoted", "better"),
        ("numbers@1", "founded", "The first release of the model."),
    ]
    assert [each.until_us for each in served] == [None, served[0].from_us, served[1].from_us]
    rows = await scene.history()
    for row, release in zip(rows, ("numbers@1", "numbers@2", "numbers@1"), strict=True):
        (then,) = await history(ledger, tenant_id, MODEL, at=_at(row.from_us))
        assert (then.release, then.revision) == (release, row.revision)
    with pytest.raises(NothingServedThen):
        await history(ledger, tenant_id, MODEL, at=_at(rows[0].from_us - 1_000_000))
    with pytest.raises(MomentRefused):
        await history(ledger, tenant_id, MODEL, at="2126-01-01")


def _at(moment_us: int) -> str:
    """The moment to the microsecond."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)).isoformat()
