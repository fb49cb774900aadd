"""The bell over Redis pub/sub: the one door to redis for wake-ups. Redis gone or empty loses nothing."""

import asyncio
import contextlib

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.store.bell import LocalBell

CHANNEL = "lockgate:bell"
RETRY_S = 0.5
SOCKET_TIMEOUT_S = 2.0


class RedisBell(LocalBell):
    """A bell between machines. Each (re)connection counts as a ring, because some may have been missed."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._redis = Redis.from_url(url, socket_connect_timeout=SOCKET_TIMEOUT_S, socket_timeout=SOCKET_TIMEOUT_S)
        self._task: asyncio.Task[None] | None = None
        self._down = "not connected yet"
        self._connected = asyncio.Event()

    async def start(self) -> None:
        """Subscribe in the background and stay subscribed; returns at once, whether or not Redis is there."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="bell")

    async def close(self) -> None:
        """Unsubscribe and close the connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def ring(self) -> None:
        """Wake this process at once and the others through Redis; a Redis that is away is shown, not raised."""
        self.wake()
        if not self._connected.is_set():
            return
        try:
            await self._redis.publish(CHANNEL, b"")
        except (RedisError, OSError) as error:
            self._note_outage(error)

    async def connected(self, timeout_s: float) -> bool:
        """True once subscribed; False after `timeout_s` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        return self._connected.is_set()

    def state(self) -> str:
        """Up while subscribed."""
        return "up" if self._connected.is_set() else f"down: {self._down}"

    async def _follow(self) -> None:
        while True:
            try:
                await self._subscribe()
            except (RedisError, OSError) as error:
                self._note_outage(error)
            await asyncio.sleep(RETRY_S)

    async def _subscribe(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(CHANNEL)
            self._connected.set()
            self.wake()
            while True:
                if await subscription.get_message(timeout=SOCKET_TIMEOUT_S / 2) is not None:
                    self.wake()

    def _note_outage(self, error: Exception) -> None:
        self._connected.clear()
        self._down = type(error).__name__
