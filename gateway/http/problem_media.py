"""Errors under the media type of RFC 9457, for whoever asks for it.

The body is the same either way; stock clients read errors as `application/json` and nothing else, so that is what they
are where `Accept` does not name the other one.
"""

from collections.abc import Iterable

from gateway.http.asgi import Message, Send, values_of

PROBLEM = "application/problem+json"
_PLAIN, _PROBLEM = (b"content-type", b"application/json"), (b"content-type", PROBLEM.encode())
_REFUSED_FROM = 400


def asks_for_problems(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether `Accept` names the media type, with a weight that is not 0."""
    return any(_takes(value) for value in values_of(headers, b"accept"))


def as_problems(send: Send) -> Send:
    """Writes errors under that media type, and everything else as it is."""

    async def written(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= _REFUSED_FROM:
            message["headers"] = [_PROBLEM if each == _PLAIN else each for each in message["headers"]]
        await send(message)

    return written


def _takes(accept: str) -> bool:
    for part in accept.lower().split(","):
        media, *parameters = (each.replace(" ", "") for each in part.split(";"))
        if media == PROBLEM:
            return not any(each.startswith("q=") and not each.strip("q=0.") for each in parameters)
    return False
