"""Asks the console process for predictions that live in the traffic log alone, and to record what is true of them.

Sealed traffic is Parquet, and a gateway process loads no Parquet; the console does. Both ends know a key that lies in
the data directory they share, because the address it is asked at can be reached through the gateway, too.
"""

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from gateway.errors import Unavailable
from gateway.holding.arriving import TruthBatch, TruthReceipts
from gateway.holding.decided import DecidedPrediction, Unkept
from gateway.holding.payload import packed, unpacked
from gateway.http.internal import KEY_HEADER, OUTCOMES, PREDICTIONS

if TYPE_CHECKING:  # loaded when something is asked for: the first answers ask for nothing
    import httpx

TIMEOUT_S = 15.0
RECORD_TIMEOUT_S = 25.0
"""Shorter than the lease of an Idempotency-Key, so that a retry never runs beside what it retries."""
MEDIA_TYPE = "application/vnd.lockgate.prediction+msgpack"


class LogUnavailable(Unavailable):
    """The record of this prediction cannot be read now; try again in a moment."""

    code = "log-unavailable"
    retry_after_s = 2.0


class LoggedPredictions:
    """Finds predictions that only the traffic log has, through the console process."""

    def __init__(self, console_url: str, key: str) -> None:
        self._console_url = console_url
        self._key = key

    @cached_property
    def _client(self) -> "httpx.AsyncClient":
        import httpx

        timeout = httpx.Timeout(TIMEOUT_S, connect=2.0)
        headers = {KEY_HEADER: self._key}
        return httpx.AsyncClient(base_url=self._console_url, timeout=timeout, headers=headers, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        if "_client" in vars(self):
            await self._client.aclose()

    async def find_automated(self, prediction_id: UUID) -> DecidedPrediction | Unkept | None:
        """The prediction as it was answered, or why that is not kept; None where the log does not have it.

        Raises: LogUnavailable.
        """
        answer = await self._ask("GET", f"{PREDICTIONS}/{prediction_id}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        unkept = answer.status_code == HTTPStatus.GONE
        if not answer.is_success and not unkept:
            raise LogUnavailable
        try:
            return decode_unkept(answer.content) if unkept else decode_decided(answer.content)
        except msgspec.MsgspecError as error:
            raise LogUnavailable from error

    async def record_truths(self, batch: TruthBatch) -> TruthReceipts:
        """What became of each entry, each in a transaction of its own. Raises: LogUnavailable."""
        content = msgspec.msgpack.encode(batch)
        answer = await self._ask("POST", OUTCOMES, content=content, timeout=RECORD_TIMEOUT_S)
        if not answer.is_success:
            raise LogUnavailable
        try:
            return msgspec.json.decode(answer.content, type=TruthReceipts)
        except msgspec.MsgspecError as error:
            raise LogUnavailable from error

    async def _ask(self, verb: str, path: str, **more: Any) -> "httpx.Response":
        import httpx

        try:
            return await self._client.request(verb, path, **more)
        except httpx.TransportError as error:
            raise LogUnavailable from error


def encode_decided(prediction: DecidedPrediction) -> bytes:
    """The prediction as it travels between the two processes."""
    return _ENCODER.encode(prediction)


def decode_decided(data: bytes) -> DecidedPrediction:
    """The prediction that was sent. Raises: msgspec.MsgspecError."""
    return _DECODER.decode(data)


def encode_unkept(unkept: Unkept) -> bytes:
    """Why a prediction cannot be told, as it travels between the two processes."""
    return msgspec.msgpack.encode(unkept)


def decode_unkept(data: bytes) -> Unkept:
    """What was sent. Raises: msgspec.MsgspecError."""
    return msgspec.msgpack.decode(data, type=Unkept)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=packed, uuid_format="bytes")
_DECODER = msgspec.msgpack.Decoder(DecidedPrediction, dec_hook=unpacked)
