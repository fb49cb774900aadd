"""Where contexts fall in a rollout, many at once: the engine's own hash, column by column. PURE.

Unleash hashes `group:value` with MurmurHash3 (x86, 32 bits, seed 0) and takes it modulo 100, plus 1; whoever is at most
the percentage is in. Source: Unleash client specification, "gradual rollout"; Appleby, MurmurHash3.cpp (public domain).
A test holds it to the engine, which is asked once for each place.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

OF: Final = 100
_C1, _C2, _ADD, _MIX1, _MIX2 = (
    np.uint32(each) for each in (0xCC9E2D51, 0x1B873593, 0xE6546B64, 0x85EBCA6B, 0xC2B2AE35)
)
_WORD: Final = 4

Words = NDArray[np.uint32]


def places(group: str, values: Sequence[str | None]) -> NDArray[np.int64]:
    """For each value its place from 1 to 100 in the rollout of a group; 0 where there is none."""
    found = np.zeros(len(values), dtype=np.int64)
    prefix = f"{group}:".encode()
    by_length: dict[int, tuple[list[int], list[bytes]]] = {}
    for row, value in enumerate(values):
        if value is not None:
            data = prefix + value.encode()
            rows, texts = by_length.setdefault(len(data), ([], []))
            rows.append(row)
            texts.append(data)
    for length, (rows, texts) in by_length.items():
        found[rows] = _hashed(np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(-1, length)) % OF + 1
    return found


def _hashed(data: NDArray[np.uint8]) -> Words:
    """MurmurHash3 of each row of bytes, all of one length."""
    count, length = data.shape
    whole = length // _WORD
    hashed = np.zeros(count, dtype=np.uint32)
    words = np.ascontiguousarray(data[:, : whole * _WORD]).view("<u4").reshape(count, whole)
    for column in range(whole):
        hashed ^= _scrambled(words[:, column].astype(np.uint32))
        hashed = _turned(hashed, 13) * np.uint32(5) + _ADD
    rest = np.zeros(count, dtype=np.uint32)
    for place in range(length - whole * _WORD):
        rest |= data[:, whole * _WORD + place].astype(np.uint32) << np.uint32(8 * place)
    hashed ^= _scrambled(rest)
    hashed ^= np.uint32(length)
    hashed = (hashed ^ (hashed >> np.uint32(16))) * _MIX1
    hashed = (hashed ^ (hashed >> np.uint32(13))) * _MIX2
    final: Words = hashed ^ (hashed >> np.uint32(16))
    return final


def _scrambled(words: Words) -> Words:
    return _turned(words * _C1, 15) * _C2


def _turned(words: Words, by: int) -> Words:
    turned: Words = (words << np.uint32(by)) | (words >> np.uint32(32 - by))
    return turned
