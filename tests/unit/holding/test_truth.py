"""The caller's view: its table, and that it never goes back."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.holding.seen import CaseSeen, DeliverySeen, OutcomeSeen, Seen
from gateway.holding.truth import Truth, truth_of, truths_at


def case(
    item: int = 1, state: str = "open", *, kind: str = "hold", round_: int = 1, closed: str | None = None
) -> CaseSeen:
    return CaseSeen(id=UUID(int=item), item=item, kind=kind, state=state, round=round_, closed_reason=closed)  # type: ignore[arg-type]


def outcome(
    item: int = 1, revision: int = 1, *, at: int = 0, never: bool = False, answer: str | None = "a"
) -> OutcomeSeen:
    return OutcomeSeen(
        item=item,
        revision=revision,
        case_id=UUID(int=item),
        round=revision,
        status="unanswerable" if answer is None else "answered",
        answer=answer,
        differs=True,
        release_after_us=at,
        never_released=never,
    )


def seen(*cases: CaseSeen, outcomes: tuple[OutcomeSeen, ...] = (), **fields: object) -> Seen:
    return Seen(now_us=100, cases=cases, outcomes=outcomes, **fields)  # type: ignore[arg-type]


ROWS = [
    ("an open hold", seen(case()), "held"),
    ("a claimed one", seen(case(state="claimed")), "held"),
    ("a partial one", seen(case(state="partial")), "held"),
    ("before a lead", seen(case(state="adjudicating")), "held"),
    ("settled and released", seen(case(state="settled"), outcomes=(outcome(at=100),)), "settled"),
    ("settled, not released yet", seen(case(state="settled"), outcomes=(outcome(at=101),)), "held"),
    ("no answer is right", seen(case(state="settled"), outcomes=(outcome(answer=None),)), "unanswerable"),
    ("undone before release", seen(case(round_=2), outcomes=(outcome(never=True),)), "held"),
    ("undone after release", seen(case(round_=2), outcomes=(outcome(),)), "settled"),
    ("one of two items missing", seen(case(1, "settled"), case(2), outcomes=(outcome(1),)), "held"),
    ("one of two expired", seen(case(1, "settled"), case(2, "expired"), outcomes=(outcome(1),)), "given_up"),
    ("one expired, one with people", seen(case(1, "expired"), case(2)), "held"),
    ("expired", seen(case(state="expired")), "given_up"),
    ("nobody could tell", seen(case(state="closed", closed="cannot_tell")), "given_up"),
    ("cancelled", seen(case(state="closed", closed="cancelled"), cancelled=True), "gone"),
    ("one item cancelled", seen(case(1, "closed", closed="cancelled"), case(2, "claimed")), "gone"),
    ("erased after it was settled", seen(case(state="closed", closed="erased"), outcomes=(outcome(),)), "gone"),
    ("past retention", seen(case(state="settled"), outcomes=(outcome(),), past_retention=True), "gone"),
    ("only an audit, open", seen(case(kind="audit")), "automated"),
    ("only an audit, settled", seen(case(state="settled", kind="audit"), outcomes=(outcome(),)), "settled"),
    ("a settled hold, reported", seen(case(state="settled"), case(kind="report"), outcomes=(outcome(),)), "settled"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "kind"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_table(rows: Seen, kind: str) -> None:
    """Each row of the caller's view."""
    assert truth_of(rows).kind == kind


def test_the_last_released_revision_counts() -> None:
    """A newer revision that is not released yet is not told; a reopened case says that it is being revised."""
    truth = truth_of(seen(case(state="settled", round_=2), outcomes=(outcome(), outcome(revision=2, at=101))))
    assert truth.outcomes[1].revision == 1
    assert not truth.revising
    assert truth_of(seen(case(round_=2), outcomes=(outcome(),))).revising


def test_the_highest_rank_is_told() -> None:
    """A lead's outcome stays what is told when a ground truth comes after it; a person's gives way to one."""
    lead = msgspec.structs.replace(outcome(), source="adjudication")
    learned = msgspec.structs.replace(outcome(revision=2, answer="b"), source="truth:lab", verdicts=0, case_id=None)
    assert truth_of(seen(case(state="settled"), outcomes=(lead, learned))).outcomes[1].answer == "a"
    assert truth_of(seen(case(state="settled"), outcomes=(outcome(), learned))).outcomes[1].answer == "b"


def test_a_moment_knows_no_later_undoing() -> None:
    """What was told then is what stood then, though its round was undone since."""
    lead = msgspec.structs.replace(outcome(), source="adjudication", undone_us=60)
    later = outcome(revision=2, at=50, answer="b")
    assert truths_at((lead, later), 55)[1].answer == "a"
    assert truths_at((lead, later), 60)[1].answer == "b"


def test_a_settled_hold_says_when_it_is_released() -> None:
    """The moment is that of the last item, and unknown while people are at work."""
    outcomes = (outcome(1, at=150), outcome(2, at=170))
    assert truth_of(seen(case(1, "settled"), case(2, "settled"), outcomes=outcomes)).reopens_us == 170
    assert truth_of(seen(case(1, "settled"), case(2), outcomes=outcomes)).reopens_us is None


def test_the_told_revision_is_the_sum_over_the_items() -> None:
    """So it grows with every revision of any item."""
    outcomes = (outcome(1), outcome(2), outcome(2, 2))
    assert truth_of(seen(case(1, "settled"), case(2, "settled"), outcomes=outcomes)).outcome_revision == 3
    assert truth_of(seen(case())).outcome_revision is None


def test_a_reopened_expiry_keeps_a_fallback_that_was_an_answer() -> None:
    """A URL that said 200 does not say 202 again; one that said 503 may."""
    reopened = seen(case(round_=2))
    assert truth_of(reopened, fallback_is_answer=True) == Truth(kind="given_up", revising=True)
    assert truth_of(reopened, fallback_is_answer=False).kind == "held"


def test_an_answer_is_told_apart_from_a_refusal() -> None:
    """Only what names an outcome or brings tensors is an answer."""
    assert [DeliverySeen(n=1, kind=kind, outcome_revision=revision).answered for kind, revision in (
        ("held", None), ("refusal", None), ("refusal", 1), ("provisional", None), ("fallback", None), ("answer", None),
    )] == [False, False, True, True, True, True]  # fmt: skip


STATUS = {"held": 202, "settled": 200, "unanswerable": 422, "gone": 410, "automated": 200}
ITEMS = (1, 2)


class Histories(RuleBasedStateMachine):
    """Random histories of a held prediction, with the grace and undo of the desk; the clock only moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.cases = {item: case(item) for item in ITEMS}
        self.outcomes: list[OutcomeSeen] = []
        self.cancelled = False
        self.said: list[tuple[int, Truth]] = []
        self.fallback_is_answer = False

    @initialize(fallback_is_answer=st.booleans())
    def choose(self, fallback_is_answer: bool) -> None:
        self.fallback_is_answer = fallback_is_answer

    @rule(us=st.integers(1, 30))
    def wait(self, us: int) -> None:
        self.now += us

    @rule(item=st.sampled_from(ITEMS), answer=st.sampled_from(["a", "b", None]), grace=st.integers(0, 40))
    def settle(self, item: int, answer: str | None, grace: int) -> None:
        found = self.cases[item]
        if found.with_people:
            revision = 1 + sum(other.item == item for other in self.outcomes)
            fresh = outcome(item, revision, at=self.now + grace, answer=answer)
            self.outcomes.append(msgspec.structs.replace(fresh, round=found.round))
            self._to(item, state="settled")

    @rule(item=st.sampled_from(ITEMS))
    def undo(self, item: int) -> None:
        if self.cases[item].state == "settled":
            last = max((o for o in self.outcomes if o.item == item), key=lambda o: o.revision)
            if not last.released(self.now):
                self.outcomes[self.outcomes.index(last)] = msgspec.structs.replace(last, never_released=True)
            self._to(item, state="open", round=self.cases[item].round + 1)

    @rule(item=st.sampled_from(ITEMS))
    def expire(self, item: int) -> None:
        if self.cases[item].with_people:
            self._to(item, state="expired")

    @rule(item=st.sampled_from(ITEMS))
    def reopen(self, item: int) -> None:
        if self.cases[item].state == "expired":
            self._to(item, state="open", round=self.cases[item].round + 1)

    @rule(item=st.sampled_from(ITEMS))
    def give_up(self, item: int) -> None:
        if self.cases[item].with_people:
            self._to(item, state="closed", closed_reason="cannot_tell")

    @precondition(lambda self: not any(status in (200, 422) for status, _ in self.said))
    @rule()
    def cancel(self) -> None:
        self.cancelled = any(each.state == "open" for each in self.cases.values())
        for item, found in self.cases.items():
            if found.state == "open":
                self._to(item, state="closed", closed_reason="cancelled")

    def _to(self, item: int, **changes: object) -> None:
        self.cases[item] = msgspec.structs.replace(self.cases[item], **changes)

    @invariant()
    def never_goes_back(self) -> None:
        """After 200 or 422 never 202 or a refusal, after 410 only 410, and told revisions only grow."""
        rows = Seen(
            now_us=self.now,
            cases=tuple(self.cases.values()),
            outcomes=tuple(sorted(self.outcomes, key=lambda o: (o.item, o.revision))),
            cancelled=self.cancelled,
        )
        truth = truth_of(rows, fallback_is_answer=self.fallback_is_answer)
        if truth.kind == "given_up":
            status = 422 if truth.cannot_tell else 200 if self.fallback_is_answer else 503
        else:
            status = STATUS[truth.kind]
        before = [said for said, _ in self.said]
        if 410 in before:
            assert status == 410
        elif 200 in before or 422 in before:
            assert status in (200, 410, 422)
        revisions = [said.outcome_revision or 0 for _, said in self.said]
        if truth.kind in ("settled", "unanswerable"):
            assert (truth.outcome_revision or 0) >= max(revisions, default=0)
        self.said.append((status, truth))


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(st.sampled_from([row[1] for row in ROWS]), st.booleans())
def test_truth_is_a_function_of_the_rows(rows: Seen, fallback_is_answer: bool) -> None:
    """The same rows give the same truth."""
    one, two = (truth_of(rows, fallback_is_answer=fallback_is_answer) for _ in range(2))
    assert one == two
