"""The gateway as those who answer on its listeners see it: the live plan, and what of it a key may see."""

from gateway.errors import UnknownModel
from gateway.plan import Caller, ModelPlan
from gateway.registry.follower import Follower
from gateway.registry.live import LivePlan


class Live:
    """The gateway as its handlers see it."""

    def __init__(self, follower: Follower, version: str) -> None:
        self._follower = follower
        self.version = version
        self.draining = False

    @property
    def plan(self) -> LivePlan:
        """The live plan."""
        return self._follower.live

    @property
    def takes_requests(self) -> bool:
        """Whether a plan is loaded and the process is not ending."""
        return self._follower.loaded and not self.draining

    def readable(self, caller: Caller, model: str, version: str | None) -> ModelPlan:
        """The model, if this key may use it in some way; another one is as good as unknown. Raises: NotFound."""
        if not _may_see(caller, model):
            raise UnknownModel(model=model[:80])
        return self.plan.model(caller.tenant_id, model, version)

    def readable_models(self, caller: Caller) -> list[ModelPlan]:
        """The models that this key may use, by name."""
        models = self.plan.plan.models.values()
        found = [each for each in models if each.tenant_id == caller.tenant_id and _may_see(caller, each.name)]
        return sorted(found, key=lambda each: each.name)


def _may_see(caller: Caller, model: str) -> bool:
    return caller.may("predict", model) or caller.may("read", model)
