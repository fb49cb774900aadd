"""A key and a path before anything of a request is read: who asks which model, and whether there is room in its line.

Where there is none a request is refused as it comes, without a task of its own: whoever is overrun must not spend on
refusals what answers need. The general way refuses it before it reads the body, too, and in the same bytes.
"""

from typing import NamedTuple, Self

from gateway.access.callers import caller_of, require
from gateway.errors import GatewayError
from gateway.http.entry import INFER
from gateway.inference.batching import Runner
from gateway.plan import Caller
from gateway.registry.live import LivePlan


class Entrance(NamedTuple):
    """Whose requests come here, and what answers them."""

    caller: Caller
    model: str
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
        return cls(caller, found[1], live.live(model.champion).runner)

    def expired(self, now_us: int) -> bool:
        """Whether the key has expired meanwhile."""
        expires_us = self.caller.expires_us
        return expires_us is not None and expires_us <= now_us
