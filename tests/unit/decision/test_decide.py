"""The truth table of `decide`."""
# ruff: noqa: E501 - a row of a table stays on its line

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flags.answer import NOTHING_LOADED, OFF, ON, FlagAnswer, FlagView
from gateway.decide import Question, UnknownRelease, decide
from gateway.decision import PUBLIC_RULES, Asked, public_rule
from gateway.errors import Forbidden
from gateway.plan import PrecedentPlan
from tests.plans import TENANT, make_model, make_release

PRECEDENT = PrecedentPlan(answer="positive", prediction_id=TENANT, item=1, outcome_revision=1, expires_us=100)
DIGEST = "d" * 64


def view(
    *, automated: bool = True, shadow: bool = False, candidate: bool = False, payload: str | None = None
) -> FlagView:
    """A loaded view of the three flags."""
    on = FlagAnswer(enabled=True, reason=ON.reason, variant="v" if payload else None, payload=payload)
    return FlagView(
        automated=on if automated else OFF,
        shadow=ON if shadow else OFF,
        candidate=ON if candidate else OFF,
        state="f" * 64,
        loaded=True,
    )


def ask(**changes: Any) -> Question:
    """A question that is answered automatically unless something is changed."""
    values: dict[str, Any] = {
        "model": make_model(),
        "flags": view(),
        "flags_age_s": 0.0,
        "asked": Asked(),
        "may_pin": False,
        "input_digest": DIGEST,
        "now_us": 50,
    }
    return Question(**(values | changes))


PRECEDED = make_model(precedents={DIGEST: PRECEDENT})
STALE_AUTO = make_model(champion=make_release(fail_mode="automated"))
STALE_REFUSE = make_model(champion=make_release(fail_mode="refuse"))

TABLE = [
    ("nothing special", ask(), "automated", "automated", "model"),
    ("halted to review", ask(model=make_model(halt="review")), "halted", "review", "people"),
    ("halted to fallback", ask(model=make_model(halt="fallback")), "halted", "review", "fallback"),
    ("halted to refuse", ask(model=make_model(halt="refuse")), "halted", "review", "nobody"),
    ("nothing loaded", ask(flags=NOTHING_LOADED), "flags_unknown", "review", "people"),
    ("stale", ask(flags_age_s=301.0), "flags_stale", "review", "people"),
    ("not yet stale", ask(flags_age_s=300.0), "automated", "automated", "model"),
    ("stale, declared to go on", ask(model=STALE_AUTO, flags_age_s=301.0), "flags_stale", "automated", "model"),
    ("stale, declared to refuse", ask(model=STALE_REFUSE, flags_age_s=301.0), "flags_stale", "review", "nobody"),
    ("automated off", ask(flags=view(automated=False)), "automated_off", "review", "people"),
    ("a person is asked for", ask(asked=Asked(review=True)), "asked", "review", "people"),
    ("an identical input was corrected", ask(model=PRECEDED), "precedent", "automated", "precedent"),
    ("the correction has run out", ask(model=PRECEDED, now_us=100), "automated", "automated", "model"),
    ("halt outranks missing flags", ask(model=make_model(halt="refuse"), flags=NOTHING_LOADED), "halted", "review", "nobody"),
    ("missing flags outrank the caller", ask(flags=NOTHING_LOADED, asked=Asked(review=True)), "flags_unknown", "review", "people"),
    ("the flag outranks a precedent", ask(model=PRECEDED, flags=view(automated=False)), "automated_off", "review", "people"),
    ("the caller outranks a precedent", ask(model=PRECEDED, asked=Asked(review=True)), "asked", "review", "people"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "rule", "path", "by"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_first_rule_that_holds_decides(question: Question, rule: str, path: str, by: str) -> None:
    """Each row of the truth table gives its rule, its path and who answers."""
    decision = decide(question)
    assert (decision.rule, decision.path, decision.by) == (rule, path, by)


CHAMPION, CANDIDATE = make_release(1), make_release(2)
TRIAL = make_model(champion=CHAMPION, candidate=CANDIDATE)
CANARY = make_model(champion=CHAMPION, candidate=CANDIDATE, canary_open=True)

RELEASES = [
    ("no trial", ask(), CHAMPION, None, "automated"),
    ("trial, flags off", ask(model=TRIAL), CHAMPION, None, "automated"),
    ("trial, shadow on", ask(model=TRIAL, flags=view(shadow=True)), CHAMPION, CANDIDATE, "shadow"),
    ("candidate on, canary closed", ask(model=TRIAL, flags=view(candidate=True)), CHAMPION, None, "automated"),
    ("candidate on, canary open", ask(model=CANARY, flags=view(candidate=True)), CANDIDATE, None, "automated"),
    ("both on", ask(model=CANARY, flags=view(candidate=True, shadow=True)), CANDIDATE, CHAMPION, "shadow"),
    ("held ones cast no shadow", ask(model=TRIAL, flags=view(automated=False, shadow=True)), CHAMPION, None, "review"),
    ("shadow on without a trial", ask(flags=view(shadow=True)), CHAMPION, None, "automated"),
    ("pinned", ask(model=TRIAL, asked=Asked(pinned=2), may_pin=True), CANDIDATE, None, "automated"),
]


@pytest.mark.parametrize(
    ("question", "release", "shadow", "path"), [row[1:] for row in RELEASES], ids=[row[0] for row in RELEASES]
)
def test_the_release_is_pinned_or_candidate_or_champion(question: Question, release, shadow, path: str) -> None:
    """Each row gives the release that answers and the one that runs in its shadow."""
    decision = decide(question)
    assert (decision.release.name, decision.path) == (release.name, path)
    assert (decision.shadow_release and decision.shadow_release.name) == (shadow and shadow.name)


def test_pinning_needs_its_scope_and_a_release_of_the_plan() -> None:
    """A pin without the scope is 403, and one to a release that cannot answer is 404."""
    with pytest.raises(Forbidden, match="pin:sentiment"):
        decide(ask(asked=Asked(pinned=1)))
    with pytest.raises(UnknownRelease, match="no release 9"):
        decide(ask(asked=Asked(pinned=9), may_pin=True))


PAYLOADS = [
    ("for this release", '{"release":"sentiment@1","hold_below":0.8}', "applied", 0.8),
    ("for another release", '{"release":"sentiment@2","hold_below":0.8}', "ignored", 0.0),
    ("for no release", '{"hold_below":0.8}', "ignored", 0.0),
    ("a field that may not be overridden", '{"release":"sentiment@1","fail_mode":"automated"}', "ignored", 0.0),
    ("out of range", '{"release":"sentiment@1","hold_below":8}', "ignored", 0.0),
    ("no JSON", "hold everything", "ignored", 0.0),
    ("none", None, "none", 0.0),
]


@pytest.mark.parametrize(
    ("payload", "use", "hold_below"), [row[1:] for row in PAYLOADS], ids=[row[0] for row in PAYLOADS]
)
def test_a_payload_overrides_numbers_of_its_own_release_only(payload: str, use: str, hold_below: float) -> None:
    """A payload that does not validate or names another release changes nothing and is reported as ignored."""
    decision = decide(ask(flags=view(payload=payload)))
    assert (decision.payload, decision.policy.hold_below) == (use, hold_below)


@given(
    halt=st.sampled_from([None, "review", "fallback", "refuse"]),
    loaded=st.booleans(),
    automated=st.booleans(),
    age_s=st.floats(0, 1000),
    review=st.booleans(),
)
def test_nothing_answers_alone_unless_everything_allows_it(
    halt: str | None, loaded: bool, automated: bool, age_s: float, review: bool
) -> None:
    """With the default policy the model answers alone only when not halted, with fresh flags, on, and unasked."""
    flags = view(automated=automated) if loaded else NOTHING_LOADED
    decision = decide(ask(model=make_model(halt=halt), flags=flags, flags_age_s=age_s, asked=Asked(review=review)))
    allowed = halt is None and loaded and automated and age_s <= 300 and not review
    assert (decision.by == "model") is allowed
    assert (decision.path == "review") is not allowed


def test_every_rule_has_a_public_name() -> None:
    """Callers are told a public name for each rule that the tables know."""
    assert {row[2] for row in TABLE} <= PUBLIC_RULES.keys()
    assert public_rule("field_rule:large_amount") == "needs_review"
