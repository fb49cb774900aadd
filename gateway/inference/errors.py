"""What can go wrong with a model that is opened or run. The driver's own words stay in `__cause__`."""

from gateway.errors import BadRequest, GatewayError, Unavailable


class ModelRefusedValues(BadRequest):
    """The model refuses these values, although names, datatypes and shapes are right."""

    code = "model-refused-values"


class ModelFailed(GatewayError):
    """The model failed on this request."""

    code = "model-failed"


class ModelOutOfMemory(ModelFailed):
    """The model needs more memory for this request than there is; send fewer items at a time."""

    status = 503
    code = "model-out-of-memory"


class ModelNotLoadable(GatewayError):
    """The model file cannot be opened."""

    code = "model-not-loadable"


class ArtifactDamaged(GatewayError):
    """The stored model file is not the one that was admitted: its digest differs."""

    code = "artifact-damaged"


class TooManyWait(Unavailable):
    """Too many requests for model '{model}' wait already; try again after the time in Retry-After."""

    code = "too-many-wait"
