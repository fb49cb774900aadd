"""What was passed by in the log is remembered, and committed when it matters."""

from gateway.record.reader import Stretch
from review.following import PASSED_S, Passed


def _nothing(end: int, segment: str = "one") -> Stretch:
    return Stretch(segment=segment, start=0, end=end, frames=())


def test_a_growing_segment_is_committed_now_and_then() -> None:
    """Reading goes on behind what was passed by; committed is it only after a while."""
    memory = Passed()
    for look in range(4):
        begun = memory.beyond({"one": 10})
        assert begun == {"one": 10 + 100 * look}
        memory.note(_nothing(110 + 100 * look), at_s=float(look))
        assert memory.due(begun, at_s=float(look)) == {}
    assert memory.due(begun, at_s=PASSED_S) == {"one": 410}
    memory.forget({"one": 410})
    assert memory.beyond({"one": 410}) == {"one": 410}
    memory.note(_nothing(500), at_s=PASSED_S)
    assert memory.due(memory.beyond({}) | {"one": 410}, at_s=PASSED_S + 1) == {}, "the time begins anew"


def test_a_segment_at_rest_is_committed_at_the_next_look() -> None:
    """It may be one that waits to be sealed; the others are not committed with it."""
    memory = Passed()
    memory.note(_nothing(100), at_s=0.0)
    memory.note(_nothing(100, "two"), at_s=0.0)
    begun = memory.beyond({})
    memory.note(_nothing(200, "two"), at_s=2.0)
    assert memory.due(begun, at_s=2.0) == {"one": 100}


def test_what_another_worker_has_committed_is_not_taken_back() -> None:
    """Where the ledger is further than the memory, the ledger counts."""
    memory = Passed()
    memory.note(_nothing(100), at_s=0.0)
    assert memory.beyond({"one": 300}) == {"one": 300}
    assert memory.all == {}
