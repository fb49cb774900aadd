"""Twenty promotions and rollbacks in any order: pointer, history, marks and events tell the same story."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from review.release.errors import (
    AlreadyServes,
    CannotRollBackTo,
    NoSuchRelease,
    NothingToRollBackTo,
    PromoteRefused,
)
from review.release.looking import list_releases
from tests.integration.registry.scene import open_scene
from tests.integration.release.scene import MODEL, Scene, operator_of

MOVES = 20
REFUSALS = (AlreadyServes, CannotRollBackTo, NoSuchRelease, NothingToRollBackTo, PromoteRefused)
Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("promote a new one"), st.just(0)),
        st.tuples(st.just("promote"), st.integers(1, 12)),
        st.tuples(st.just("roll back"), st.just(0)),
        st.tuples(st.just("roll back to"), st.integers(1, 12)),
    ),
    min_size=MOVES,
    max_size=MOVES,
)


class Story:
    """What should have happened, as simply as it can be written down."""

    def __init__(self) -> None:
        self.releases, self.served = 1, [1]
        self.withdrawn: set[int] = set()
        self.told: list[tuple[str, int]] = []

    def promote(self, number: int) -> bool:
        """Whether it serves now."""
        if number > self.releases or number == self.served[-1] or number in self.withdrawn:
            return False
        self._move("release.promoted", number)
        return True

    def roll_back(self, to: int | None) -> bool:
        """Whether another one serves now."""
        good = [each for each in reversed(self.served) if each not in self.withdrawn | {self.served[-1]}]
        target = next(iter(good), None) if to is None else to if to in good else None
        if target is None:
            return False
        self.withdrawn.add(self.served[-1])
        self._move("release.rolled_back", target)
        return True

    def _move(self, type_: str, number: int) -> None:
        self.served.append(number)
        self.told.append((type_, number))


async def take(scene: Scene, story: Story, step: Step) -> None:
    """Do the step, and see that it is refused exactly when it should be."""
    verb, number = step
    if verb == "promote a new one":
        story.releases = number = await scene.release()
    try:
        if verb.startswith("promote"):
            await scene.promote(number)
        else:
            await scene.roll_back(to=number or None)
    except REFUSALS:
        done = False
    else:
        done = True
    expected = story.promote(number) if verb.startswith("promote") else story.roll_back(number or None)
    assert done == expected, step


async def agree(scene: Scene, story: Story) -> None:
    """Pointer, history, events and marks say what the story says."""
    history = await scene.history()
    assert [row.revision for row in history] == list(range(1, len(story.served) + 1))
    lines = await list_releases(scene.registry.ledger, scene.registry.tenant_id, MODEL)
    stands = {line.number: line.stands for line in lines}
    assert {number for number, stand in stands.items() if stand == "withdrawn"} == story.withdrawn
    champion, previous = await scene.serves()
    assert champion == f"{MODEL}@{story.served[-1]}"
    assert stands[story.served[-1]] == "champion"
    assert previous is None or stands[int(previous.partition("@")[2])] == "previous"
    events = await scene.events("release.promoted", "release.rolled_back")
    by_revision = {msgspec.json.decode(event.data)["revision"]: event for event in events}
    assert len(by_revision) == len(events)
    for (type_, number), row in zip(story.told, history[1:], strict=True):
        event = by_revision[row.revision]
        data = msgspec.json.decode(event.data)
        assert (event.type, data["release"]) == (type_, f"{MODEL}@{number}")
        assert (f"release.{row.action}", row.by, row.why) == (type_, event.by, data["why"])


def test_twenty_moves_in_any_order_leave_one_story(ledger_url: str, tmp_path: Path) -> None:
    """What is refused writes nothing; what is done is in pointer, history, marks and events alike."""
    with asyncio.Runner() as runner:
        stack, story = AsyncExitStack(), Story()
        scene = runner.run(opened(stack, ledger_url, tmp_path))

        @settings(
            max_examples=4,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),  # the ledger goes on from one example to the next
        )
        @given(steps=STEPS)
        def play(steps: list[Step]) -> None:
            runner.run(played(scene, story, steps))

        try:
            play()
        finally:
            runner.run(stack.aclose())


async def opened(stack: AsyncExitStack, ledger_url: str, folder: Path) -> Scene:
    """A model that serves its founding release."""
    registry = await stack.enter_async_context(open_scene(ledger_url, folder))
    await registry.add()
    return Scene(registry=registry, operator=operator_of(registry.tenant_id))


async def played(scene: Scene, story: Story, steps: list[Step]) -> None:
    """The steps, and afterwards one story."""
    for step in steps:
        await take(scene, story, step)
    await agree(scene, story)
