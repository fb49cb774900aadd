"""A key and a path before anything of a request is read: who asks which model, and whether there is room in its line.

Where there is none a request is refused as it comes, without a task of its own: whoever is overrun must not spend on
refusals what answers need. The general way refuses it before it reads the body, too, and in the same bytes.
"""

from typing import NamedTuple, Self

from gateway.access.callers import caller_of, require
from gateway.errors import GatewayError
from gateway.express.asking import Asking, asking_of
from gateway.express.exchange import Exchange
from gateway.express.hashing import digest
from gateway.express.target import Target
from gateway.http.entry import INFER, refused
from gateway.http.problem_media import asks_for_problems
from gateway.inference.batching import Runner
from gateway.inference.errors import TooManyWait
from gateway.noted import note
from gateway.plan import Caller, Plan
from gateway.registry.live import LivePlan
from gateway.times import now_us

_KNOWN_MAX = 1024


class Entrance(NamedTuple):
    """Whose requests come here, and what answers them."""

    caller: Caller
    model: str
    version: str | None
    """None where the path names none."""
    runner: Runner

    @classmethod
    def of(cls, live: LivePlan, authorization: str, path: str, now_us: int) -> Self | None:
        """The entrance of a key and a path; None where they are refused anyway, or the model is not open."""
        found = INFER.fullmatch(path)
        if found is None:
            return None
        try:
            caller = caller_of(authorization, live.plan, now_us)
            require(caller, "predict", found[1])
        except GatewayError:
            return None
        model = live.plan.model(caller.tenant_id, found[1])
        if model is None or not live.is_ready(model.champion):
            return None
        return cls(caller, found[1], found[2], live.live(model.champion).runner)


class Known(NamedTuple):
    """What is known of a key and a path under one plan."""

    plan: Plan
    entrance: Entrance | None
    """None where its requests are refused anyway, or the model is not open."""
    target: Target | None
    """None where its requests are never plain."""

    def open_to(self, now_us: int) -> Entrance | None:
        """The entrance, unless the key has expired meanwhile."""
        entrance = self.entrance
        if entrance is None:
            return None
        expires_us = entrance.caller.expires_us
        return entrance if expires_us is None or expires_us > now_us else None


def known_of(live: LivePlan, asking: Asking, path: bytes) -> Known:
    """What is known of who asks for this path under the plan in force."""
    key = digest(asking.authorization), path
    known: Known | None = live.made.get(key)
    if known is None or known.plan is not live.plan:
        if len(live.made) >= _KNOWN_MAX:
            live.made.clear()
        told = asking.authorization.decode("latin-1"), path.decode("latin-1"), now_us()
        entrance = Entrance.of(live, *told)
        target = None if entrance is None else Target.of(live, entrance.caller, entrance.model, entrance.version)
        known = live.made[key] = Known(live.plan, entrance, target)
    return known


def seen_in(live: LivePlan, exchange: Exchange) -> tuple[Asking, Known] | None:
    """What the headers say, and what is known of who asks; None where they do not say who. A head is looked at once."""
    head = exchange.head
    seen: tuple[Asking, Known] | None = None if head is None else head.seen
    if seen is None or seen[1].plan is not live.plan:
        asking = asking_of(exchange.headers)
        if asking is None:
            return None
        seen = asking, known_of(live, asking, exchange.target)
        if head is not None:
            head.seen = seen
    return seen


def refuse_if_full(exchange: Exchange, entrance: Entrance, began_ns: int) -> bool:
    """Whether too many wait for the model; the request is then refused, as the general way would."""
    if asks_for_problems(exchange.headers):
        return False
    try:
        entrance.runner.refuse_early(entrance.caller.key_id)
    except TooManyWait as error:
        note(entrance.model, error.status, error.code, began_ns / 1e9)
        exchange.refuse(refused(error, exchange.target.decode("ascii")))
        return True
    return False
