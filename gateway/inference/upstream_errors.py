"""What can go wrong with a model that runs elsewhere. What its server said stays in `__cause__`."""

from gateway.errors import BadRequest, GatewayError, Unavailable
from gateway.inference.errors import ModelFailed


class UpstreamAddressWrong(BadRequest):
    """'{address}' is no address of an upstream: write http, https, grpc or grpcs, such as grpc://triton:8001/MODEL."""

    code = "upstream-address-wrong"


class UpstreamNotAllowed(BadRequest):
    """Nobody allowed to call the upstream {origin}: whoever runs this server names it in the setting 'upstreams'."""

    code = "upstream-not-allowed"


class UpstreamSignatureWrong(BadRequest):
    """The upstream tells a signature that cannot be served: {fault}."""

    code = "upstream-signature-wrong"


class UpstreamUnavailable(Unavailable):
    """The server on which this model runs cannot answer now; try again."""

    code = "upstream-unavailable"
    unread: bool = False
    """Whether the server certainly did not begin with the call, so that it may be made again."""


class UpstreamTooSlow(GatewayError):
    """The server on which this model runs has not answered in time; try again."""

    status = 504
    code = "upstream-too-slow"
    retry_after_s = 1.0


class UpstreamAnswerWrong(ModelFailed):
    """The server on which this model runs has answered something else than its signature says."""

    code = "upstream-answer-wrong"
