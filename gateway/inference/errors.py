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


class ProviderAbsent(GatewayError):
    """The card's [session] wants the execution provider {wanted}, and this machine has {present}. Install the build of
    onnxruntime that brings it, allow it in the setting execution_providers, or name cpu last in the card.
    """

    status = 422
    code = "provider-absent"


class ProviderUnusable(GatewayError):
    """onnxruntime brings the execution provider {wanted}, and could not begin to use it here: its driver, its libraries
    or its device are missing. 'lockgate doctor' tells more; name cpu last in the card to go on without it.
    """

    status = 422
    code = "provider-unusable"


class ProviderOptionsWrong(BadRequest):
    """The execution providers are not written right: {fault}."""

    code = "provider-options-wrong"


class TooManyThreads(GatewayError):
    """The card's [session] wants {threads} threads, and this machine has {cores}: more of them than cores only wait for
    each other. Declare at most {cores}.
    """

    status = 422
    code = "too-many-threads"
