"""What so many cases an hour mean to the people there are: a table of desks."""

import msgspec
import pytest

from review.load import Desk, Flow, Load, load_of, told

DESK = Desk(waiting=0, reviewers=2, judging_s=30.0, judged=500, verdicts=1, room=100, overflow="refuse")
FLOW = Flow(window_s=3600.0, requests=400.0, automated=390.0, items=480.0, held=12.5)


def desk(**changes: object) -> Desk:
    """Two people who take 30 s a verdict, and room for 100 holds; some of that changed."""
    return msgspec.structs.replace(DESK, **changes)


@pytest.mark.parametrize(
    ("word", "cases", "at", "load"),
    [
        ("nothing comes", 0.0, desk(), Load(cases=0.0, work=0.0, enough=True, full_in_s=None)),
        ("they can", 120.0, desk(), Load(cases=120.0, work=1.0, enough=True, full_in_s=None)),
        ("just", 240.0, desk(), Load(cases=240.0, work=2.0, enough=True, full_in_s=None)),
        # Of 480 an hour they do 240, so that a room of 100 fills within 25 minutes.
        ("half is left", 480.0, desk(), Load(cases=480.0, work=4.0, enough=False, full_in_s=1500.0)),
        ("some wait", 480.0, desk(waiting=60), Load(cases=480.0, work=4.0, enough=False, full_in_s=600.0)),
        ("full already", 480.0, desk(waiting=130), Load(cases=480.0, work=4.0, enough=False, full_in_s=0.0)),
        ("two verdicts", 240.0, desk(verdicts=2), Load(cases=240.0, work=4.0, enough=False, full_in_s=3000.0)),
        ("nobody", 100.0, desk(reviewers=0), Load(cases=100.0, work=100 / 120, enough=False, full_in_s=3600.0)),
        ("nobody, nothing", 0.0, desk(reviewers=0), Load(cases=0.0, work=0.0, enough=True, full_in_s=None)),
        ("unknown", 480.0, desk(judging_s=None), Load(cases=480.0, work=None, enough=None, full_in_s=None)),
    ],
)
def test_load(word: str, cases: float, at: Desk, load: Load) -> None:
    """Work is cases times verdicts times seconds; what nobody can do fills the room."""
    assert load_of(cases, at) == load


NO_HOLD = "No hold waits now."
COME = (
    "390 of 400 requests an hour are answered without a person now, by the last hour; "
    "they would come to people: 480 cases an hour, 12 now."
)
IN_A_DAY = (
    "390 of 400 requests an hour are answered without a person now, by the last 24 hours; "
    "they would come to people: 9.2 cases an hour, 12 now."
)
NOT_ENOUGH = (
    "At 30 s a verdict that is 4 hours of work in each hour: 2 reviewers, always at it, would not be enough.",
    "The queue would be full, at 100 holds, after about 25 min; then callers are refused.",
)
ENOUGH = (
    "At 30 s a verdict and 3 verdicts a case that is 0.2 hours of work in each hour: "
    "1 reviewer, always at it, would be enough."
)
NOBODY = (
    "Nobody may judge this model's cases, so none of them would be settled.",
    "The queue would be full, at 100,000 holds, after about 9 days; then the model answers.",
)
UNKNOWN = "2 reviewers may judge them; how long a case takes is not known yet, since none was judged."
UNCALLED = "Nobody has called this model within a day, so nothing can be said of how many holds to expect."
A_DAY = msgspec.structs.replace(FLOW, window_s=86_400.0, items=9.25)


@pytest.mark.parametrize(
    ("word", "flow", "at", "said"),
    [
        ("outpaced", FLOW, desk(waiting=1), ("1 hold waits now, and goes on waiting.", COME, *NOT_ENOUGH)),
        (
            "enough",
            A_DAY,
            desk(waiting=2, verdicts=3, reviewers=1),
            ("2 holds wait now, and go on waiting.", IN_A_DAY, ENOUGH),
        ),
        ("nobody", FLOW, desk(reviewers=0, overflow="automated", room=100_000), (NO_HOLD, COME, *NOBODY)),
        ("never judged", FLOW, desk(judging_s=None, judged=0), (NO_HOLD, COME, UNKNOWN)),
        ("never called", Flow(window_s=86_400.0), desk(), (NO_HOLD, UNCALLED)),
    ],
)
def test_what_an_operator_is_told(word: str, flow: Flow, at: Desk, said: tuple[str, ...]) -> None:
    """What waits, what comes, whether people can keep up, and when the room is full, in plain words."""
    assert told(flow, at, holds_all=True) == said


def test_a_halt_that_holds_nothing() -> None:
    """Where callers are answered or refused instead, what waits stays and nothing new comes."""
    assert told(FLOW, desk(waiting=4), holds_all=False) == (
        "4 holds wait now, and go on waiting.",
        "No new holds come, 12 an hour do now; 400 requests an hour are hit.",
    )
