"""A halt is put in force before anything else of a plan is read."""

from gateway.inference.cache import SessionCache
from gateway.plan import HaltPlan, Plan
from gateway.registry.live import LivePlan
from tests.plans import TENANT, make_model


def test_a_live_plan_takes_halts_at_once_and_lifts_the_others() -> None:
    """The halts given are in force from then on, and no others."""
    model = make_model()
    plan = Plan(revision=1, models={(TENANT, model.name): model}, callers={})
    live = LivePlan(plan, {}, SessionCache())
    halt = HaltPlan(mode="refuse", by="person:ops@example.org", why="test", since_us=1)
    live.halt({model.id: halt})
    assert live.model(TENANT, model.name).halt == halt
    live.halt({})
    assert live.model(TENANT, model.name).halt is None
