"""The servers that models may run on elsewhere, as the settings name them."""

from gateway.inference.upstream_errors import UpstreamAddressWrong
from gateway.inference.upstreams import AllowedUpstreams, allowed_keys
from lockgate.errors import WrongSetting
from lockgate.settings import Settings


def allowed_upstreams(settings: Settings) -> AllowedUpstreams:
    """What may be called, with which keys, for how long. Raises: WrongSetting."""
    try:
        keys = allowed_keys(settings.upstreams)
    except UpstreamAddressWrong as error:
        raise WrongSetting(name="upstreams", why=str(error), source="the settings") from error
    return AllowedUpstreams(
        keys=keys, within_s=settings.upstream_s, evaluation_calls_per_s=settings.upstream_evaluation_calls_per_s
    )
