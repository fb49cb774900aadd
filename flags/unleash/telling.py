"""Tells an Unleash server how often each flag was on, by the route that its own clients use."""

from typing import Final

import httpx
import msgspec

from flags.context import APP_NAME
from flags.unleash.server import TIMEOUT_S, UnleashServer
from flags.unleash.usage import Bucket

_PATH: Final = "/client/metrics"


def tell_usage(server: UnleashServer, bucket: Bucket) -> bool:
    """Send the counts; False where the server did not take them. In a thread: it blocks."""
    said = {"appName": APP_NAME, "instanceId": server.instance, "bucket": bucket}
    headers = {"Authorization": server.token, "Content-Type": "application/json"}
    try:
        answer = httpx.post(server.url + _PATH, content=msgspec.json.encode(said), headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.is_success
