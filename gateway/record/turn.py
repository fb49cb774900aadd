"""One loop turn's entries: gathered as frames in one buffer, written at once, then told where they stand."""

import asyncio

from gateway.record.codec import ENCODER, ENTRY_MAX_BYTES
from gateway.record.entries import Entry, Position
from gateway.record.frames import FRAME_BYTES, frame, seal_frame

Waiting = asyncio.Future[Position]


class Turn:
    """The frames of one loop turn and who waits for each of them."""

    __slots__ = ("buffer", "ends", "waiting", "whole")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ends: list[int] = []
        self.waiting: list[Waiting | None] = []
        """By entry who waits for it; None where somebody looks at `whole` instead."""
        self.whole = 0
        """How many entries were written whole."""

    def add_encoded(self, data: bytes) -> None:
        """Put an entry behind the others that is encoded already and fits."""
        self.buffer += frame(data)
        self.ends.append(len(self.buffer))
        self.waiting.append(None)

    def add(self, entry: Entry) -> bytes | None:
        """Put the entry behind the others; returns its encoding instead when it is too large for a frame.

        Raises: whatever encoding raises, with the neighbours untouched.
        """
        buffer = self.buffer
        start = len(buffer)
        try:
            ENCODER.encode_into(entry, buffer, start + FRAME_BYTES)
        except BaseException:
            del buffer[start:]
            raise
        if len(buffer) - start - FRAME_BYTES > ENTRY_MAX_BYTES:
            whole = bytes(buffer[start + FRAME_BYTES :])
            del buffer[start:]
            return whole
        seal_frame(buffer, start)
        self.ends.append(len(buffer))
        return None

    def settle(self, segment: str, base: int, written: int) -> int:
        """Tell those whose frames were written whole from `base` on; returns where the last whole frame ends."""
        if written == len(self.buffer) and not any(self.waiting):
            self.whole = len(self.ends)
            return base + written
        start = 0
        for end, future in zip(self.ends, self.waiting, strict=True):
            if end > written:
                break
            if future is not None and not future.done():
                future.set_result(Position(segment, base + start))
            start = end
            self.whole += 1
        return base + start

    def fail(self, error: Exception) -> None:
        """Tell everybody who has heard nothing yet that the entry was not written."""
        for future in self.waiting:
            if future is not None and not future.done():
                future.set_exception(error)
