"""What Triton's clients may ask and nobody here answers: told by name, so that no silence is taken for an answer."""

from typing import Any

from litestar import Controller, HttpMethod, Request, route

from gateway.errors import ExtensionNotServed
from gateway.plan import Caller

_SHARED = ("systemsharedmemory", "cudasharedmemory")
_MODEL = ("/models/{model:str}", "/models/{model:str}/versions/{version:str}")


class NotServedController(Controller):
    """Extensions of Triton's that are refused; they are in no document."""

    path = "/v2"
    include_in_schema = False

    @route(
        [
            *(f"/{kind}/status" for kind in _SHARED),
            *(f"/{kind}/unregister" for kind in _SHARED),
            *(
                f"/{kind}/region/{{region:str}}/{verb}"
                for kind in _SHARED
                for verb in ("status", "register", "unregister")
            ),
            "/logging",
            "/trace/setting",
            *(f"{model}/{verb}" for model in _MODEL for verb in ("trace/setting", "generate", "generate_stream")),
        ],
        http_method=[HttpMethod.GET, HttpMethod.POST],
        status_code=501,
    )
    async def refuse(self, request: Request[Any, Any, Any], caller: Caller) -> None:  # noqa: ARG002 - a key is needed
        """Never returns: there is no such thing here."""
        raise ExtensionNotServed(extension=_extension(request.url.path))


def _extension(path: str) -> str:
    """The extension that an address belongs to."""
    if "sharedmemory" in path:
        return "shared memory"
    last = path.rstrip("/").rpartition("/")[2]
    return {"setting": "trace", "logging": "logging"}.get(last, "generate")
