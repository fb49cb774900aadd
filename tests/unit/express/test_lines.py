"""Runs beside answers wait in lines that take turns, each up to its room and with its live plan in use."""

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from gateway.express.lines import LINE_MAX, SHARE, TOGETHER_MAX, Lines, rest_after


class Live:
    """A live plan that counts who uses it."""

    used = 0

    @contextmanager
    def in_use(self) -> Any:
        """Count one more."""
        self.used += 1
        yield self
        self.used -= 1


def companion(name: str, most: int = 64) -> Any:
    """A companion whose runs are joined under a name."""
    return SimpleNamespace(joint=name, most=most)


def run(live: Live, items: int = 1) -> Any:
    """A run with so many items."""
    return SimpleNamespace(
        waiting=SimpleNamespace(target=SimpleNamespace(live=live), request=SimpleNamespace(items=items))
    )


def test_lines_take_turns_and_give_their_plan_back() -> None:
    """The line that had its turn stands behind the other; who is empty leaves nothing in use."""
    live, lines, one, other = Live(), Lines(), companion("one"), companion("other")
    for _ in range(3):
        assert lines.put(one, run(live))
    assert lines.put(other, run(live))
    assert live.used == 2
    turns = []
    while lines:
        line = lines.pop()
        turns.append(len(line.take(2, one)))
        lines.put_back(line, one)
    assert turns == [2, 1, 1]
    assert live.used == 0


def test_a_run_takes_no_more_items_than_one_may_and_at_least_one_request() -> None:
    """Of requests with 3, 3 and 9 items, by 6 at a time."""
    live, lines, by_six = Live(), Lines(), companion("one", most=6)
    for items in (3, 3, 9):
        lines.put(by_six, run(live, items))
    line = lines.pop()
    assert [len(line.take(64, by_six)) for _ in range(2)] == [2, 1]


def test_a_full_line_has_no_room_and_another_has() -> None:
    """And a line that is long enough for a whole run says so."""
    live, lines, one = Live(), Lines(), companion("one")
    for number in range(LINE_MAX):
        assert lines.one_is_full == (number >= TOGETHER_MAX)
        assert lines.put(one, run(live))
    assert not lines.put(one, run(live))
    assert lines.put(companion("other"), run(live))


def test_what_was_spent_beside_answers_is_a_share_of_the_time() -> None:
    """Whatever is spent, with the rest that follows it is its share."""
    spent = 0.003
    assert abs(spent / (spent + rest_after(spent)) - SHARE) < 1e-12
