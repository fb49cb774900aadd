"""Which sessions are kept open within a memory: a table of plans."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from gateway.inference.upstreams import Upstream
from gateway.inference.wish import SessionWish
from gateway.plan import ModelPlan, ReleasePlan
from gateway.protocol.signature import Signature
from gateway.registry.room import ModelsDoNotFit, making_way, oversubscribed, require_room, room_for
from tests.plans import TENANT, make_card, make_model, make_release

OTHER = UUID(int=2)


def release(number: int, size: int, **wish: Any) -> ReleasePlan:
    """A release whose session is counted with so many MiB."""
    card = make_card(session=SessionWish(memory_bytes=size << 20, **wish))
    return make_release(number, card=card)


def model(name: str = "sentiment", *, previous: ReleasePlan | None = None, **parts: Any) -> ModelPlan:
    """A model with champion, previous and candidate."""
    return msgspec.structs.replace(make_model(**parts), name=name, previous=previous)


TAKEN = (
    r"sentiment@4 cannot be kept open: 60 MiB are needed and models_memory_max_bytes is 59 MiB\. "
    r"sentiment@3 \(champion\) takes 40 MiB, sentiment@4 \(candidate\) takes 20 MiB\. Raise"
)
FULL = model(champion=release(3, 40), previous=release(2, 30), candidate=release(4, 20))
OPEN = model(champion=release(3, 40), previous=release(2, 30), candidate=release(4, 20), canary_open=True)


@pytest.mark.parametrize(
    ("models", "mib", "kept", "cold", "over"),
    [
        ([FULL], 0, [3, 4, 2], [], False),
        ([FULL], 90, [3, 4, 2], [], False),
        ([FULL], 89, [3, 4], [2], False),
        ([FULL], 59, [3], [2, 4], False),
        ([FULL], 39, [3], [2, 4], True),
        ([OPEN], 59, [3, 4], [2], True),
        ([FULL, model("b", champion=release(5, 10), previous=release(1, 35))], 110, [3, 5, 4, 2], [1], False),
    ],
    ids=[
        "no limit", "just fits", "the previous first", "then what is only shadowed", "a champion never",
        "nor an open canary", "the larger previous of two models",
    ],
)  # fmt: skip
def test_what_gives_way(models: list[ModelPlan], mib: int, kept: list[int], cold: list[int], over: bool) -> None:
    """By place, then by size; what must be open is, even where it is too much."""
    room = room_for(models, mib << 20)
    assert [seat.release for seat in room.kept] == [f"sentiment@{number}" for number in kept]
    assert [seat.release for seat in room.cold] == [f"sentiment@{number}" for number in cold]
    assert room.over is over


def test_releases_of_one_file_share_a_session() -> None:
    """It is counted once, where the most needed of them stands; what runs elsewhere takes nothing."""
    again = msgspec.structs.replace(release(3, 40), id=UUID(int=1), name="sentiment@2")
    far = Upstream(scheme="http", place="far:1", model="m", version=None, signature=Signature(inputs=(), outputs=()))
    away = msgspec.structs.replace(release(4, 20), upstream=far, artifact="")
    room = room_for([model(champion=release(3, 40), previous=again, candidate=away)], 0)
    assert [(seat.release, seat.place) for seat in room.kept] == [("sentiment@3", "champion")]
    assert not room.is_cold(again)


@pytest.mark.parametrize(
    ("plan", "mib", "wanted", "told"),
    [
        (FULL, 60, 4, None),
        (FULL, 59, 4, TAKEN),
        (OPEN, 59, 4, r"sentiment@4 \(canary\) takes 20 MiB"),
        (FULL, 39, 3, r"40 MiB are needed .* is 39 MiB"),
    ],
    ids=["the previous makes room", "a trial without a session is none", "an open canary", "a champion"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_takes_how_much(
    plan: ModelPlan, mib: int, wanted: int, told: str | None
) -> None:
    """Everything that never gives way counts, and what is asked for."""
    asked = release(wanted, 0)
    if told is None:
        require_room([plan], mib << 20, asked, TENANT)
    else:
        with pytest.raises(ModelsDoNotFit, match=told):
            require_room([plan], mib << 20, asked, TENANT)


def test_other_tenants_are_not_named() -> None:
    """Their models count, as a sum."""
    theirs = msgspec.structs.replace(model("secret", champion=release(9, 50)), tenant_id=OTHER)
    with pytest.raises(ModelsDoNotFit, match="models of others take 50 MiB") as refused:
        require_room([FULL, theirs], 80 << 20, release(3, 40), TENANT)
    assert "@9" not in str(refused.value)


def test_what_is_not_wanted_any_more_leaves_before_the_next_is_opened() -> None:
    """Only where both together are too much, and never what answers."""
    after = model(champion=release(4, 20), previous=release(3, 40))
    narrower = making_way(room_for([FULL], 100 << 20), room_for([after], 89 << 20))
    assert narrower is not None
    assert [seat.release for seat in narrower.kept] == ["sentiment@3", "sentiment@4"]
    assert making_way(room_for([FULL], 0), room_for([after], 0)) is None
    assert making_way(room_for([FULL], 0), room_for([after], 90 << 20)) is None


@pytest.mark.parametrize(
    ("threads", "default", "processes", "too_many"),
    [(None, 1, 1, False), (None, 1, 9, False), (2, 1, 1, False), (2, 1, 2, True), (None, 2, 2, True)],
    ids=["one each", "one each, many processes", "two of two", "twice two of two", "by the setting"],
)
def test_threads_are_counted_against_the_cores(
    threads: int | None, default: int, processes: int, too_many: bool
) -> None:
    """Of one thread for each session nobody can have fewer, so that is never too many."""
    room = room_for([model(champion=release(1, 1, threads=threads))], 0)
    assert oversubscribed(room, default, processes, cores=2) is too_many
