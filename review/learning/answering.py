"""Answers single inputs in a child process that stays for a while, so that a release is opened once and not each time.

`python -m review.learning.answering` is that process. Questions and replies are frames on standard input and output:
four bytes of length, then MessagePack. It knows no ledger and ends when nobody writes to it any more.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from gateway.errors import GatewayError
from gateway.holding.payload import InputPayload, decode_input
from gateway.inference.session import OnnxSession
from gateway.labels import Answer
from gateway.protocol.datatypes import datatype_of
from gateway.record.objects import ObjectDirectory
from gateway.registry.card import Card
from review.learning.saying import run_one
from review.learning.splits import item_rows

HEAD_BYTES = 4
OPEN_MAX = 4
"""How many releases stay open at most."""
NICENESS = 5
"""Requests come first on a busy machine."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a release says of one item of a payload."""

    artifacts: str
    artifact: str
    card: Card
    payload: bytes
    item: int
    items: int


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What it says; None where it gives no answer of its label schema."""

    answer: Answer | None = None
    fault: str = ""
    """Why it could not be run at all; empty where it could."""


class Sessions:
    """Releases that are open, the last ones used."""

    def __init__(self) -> None:
        self._open: dict[str, OnnxSession] = {}

    def session(self, artifacts: str, artifact: str) -> OnnxSession:
        """The session of a model file, verified when it is opened. Raises: GatewayError."""
        session = self._open.pop(artifact, None)
        if session is None:
            directory = ObjectDirectory(Path(artifacts))
            directory.verify(artifact)
            session = OnnxSession.open(directory.path(artifact))
        self._open[artifact] = session
        if len(self._open) > OPEN_MAX:
            self._open.pop(next(iter(self._open))).close()
        return session


def answer(sessions: Sessions, question: Question) -> Reply:
    """What the release says of the item, as an evaluation would have it."""
    try:
        session = sessions.session(question.artifacts, question.artifact)
    except GatewayError as error:
        return Reply(fault=str(error))
    payload = decode_input(question.payload)
    if not _fits(session, payload):
        return Reply()
    axis, at = question.card.batch_axis, question.item - 1
    names = [spec.name for spec in session.signature.inputs]
    rows = {name: item_rows(payload.inputs[name], question.items, axis) for name in names}
    feed = {name: np.asarray(tensor[at], tensor.dtype) for name, tensor in rows.items()}
    said, _score = run_one(session, question.card, feed)
    return Reply(answer=said)


def _fits(session: OnnxSession, payload: InputPayload) -> bool:
    return all(
        spec.name in payload.inputs and datatype_of(payload.inputs[spec.name]) == spec.datatype
        for spec in session.signature.inputs
    )


def framed(message: msgspec.Struct) -> bytes:
    """The message as a frame."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def serve(questions: BinaryIO, replies: Callable[[bytes], object]) -> None:
    """Answer question after question until there are no more."""
    sessions = Sessions()
    while len(head := questions.read(HEAD_BYTES)) == HEAD_BYTES:
        question = msgspec.msgpack.decode(questions.read(int.from_bytes(head, "big")), type=Question)
        replies(framed(answer(sessions, question)))


def main() -> None:
    """Serve standard input; whatever a library prints goes to standard error."""
    private = os.dup(1)
    os.dup2(2, 1)
    os.nice(NICENESS)
    with os.fdopen(private, "wb", buffering=0) as replies:
        serve(sys.stdin.buffer, replies.write)


if __name__ == "__main__":
    main()
