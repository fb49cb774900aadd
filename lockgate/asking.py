"""What a process says about itself on its listener for machines, asked by its supervisor."""

from collections.abc import Mapping
from types import MappingProxyType

import httpx
import structlog

log = structlog.get_logger()
ASK_S = 2.0
NOTHING: Mapping[str, str] = MappingProxyType({})


class Asking:
    """A client that asks the children of one supervisor."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=ASK_S, trust_env=False)

    async def text(self, child: str, url: str, headers: Mapping[str, str] = NOTHING) -> str | None:
        """The answer of a child; None, which is logged, when there is none."""
        try:
            return (await self._client.get(url, headers=headers)).text
        except httpx.HTTPError as error:
            log.warning("child_silent", child=child, why=type(error).__name__)
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
