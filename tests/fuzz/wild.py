"""What is done to good requests: to their values, their text, their bytes and their headers. Pure: chance is given."""

import gzip
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2, 255, 256, -129, 65504, 65520, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.5, 1e-320, 1e38, 3.5e38, -1e39, 1.7e308, 5e-324),
)  # fmt: skip
TEXTS = ("", "x", "é☃", "\0", "\ud800", "𝔘" * 3, "a" * 300, "NaN", "null", "-1", "{}", "\\", '"', "\u202e", "x" * 5000)
WORDS = (
    *("name", "shape", "datatype", "data", "parameters", "inputs", "outputs", "id", "binary_data_size", "binary_data"),
    *("binary_data_output", "shared_memory_region", "classification", "sequence_id", "review", "review_async"),
    *("review_wait_ms", "release", "user_id", "session_id", "review_status", "score", "photo", "FP32", "BF16", "BYTES"),
    *("INT8", "require", "not_finite", "priority", "timeout"),
)  # fmt: skip
TOKENS = (
    *(b"NaN", b"Infinity", b"-Infinity", b"nul", b"true", b"1e400", b"-1e400", b"1e-400", b"0x10", b"01", b"1.", b".5"),
    *(b"+1", b"--1", b"1" * 400, b"[" * 2000, b'{"a":' * 500, b"]", b"}", b",", b",,", b":", b'"', b'"\\ud800"', b"\\"),
    *(b'"\\u0000"', b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\0", b" " * 3000, b"/**/", b"'", b"[[]]"),
    *(b"{}", b'{"data":[1],"data":[2]}', b"18446744073709551616", b"-9223372036854775809", b"1E+2", b"3.0"),
)  # fmt: skip
LENGTHS = (
    *("0", "-1", "-0", "+1", "1.0", "0x10", "1e2", " 12", "12 ", "12,12", "12, 12", "1" * 30, "1" * 5000, "", "-", "٣"),
    *("²", "12\t", "None", "nan", "18446744073709551616", "1_0", "0" * 20 + "7"),
)  # fmt: skip
CODINGS = (
    "gzip",
    "deflate",
    "x-gzip",
    "identity",
    "GZIP",
    " gzip ",
    "gzip, deflate",
    "gzip,gzip",
    "br",
    "",
    "zstd",
    "é",
)
WISHES = (
    "respond-async",
    "wait=0",
    "wait=1e9",
    "wait=-1",
    "wait=",
    "respond-async, wait=0",
    "\xff",
    "," * 50,
    "wait=٣",
)


def anything(random: Random, depth: int = 0) -> Any:
    """Any JSON value, also one that no request has."""
    kind = random.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return random.choice(NUMBERS)
    if kind < 4:
        return random.choice(TEXTS + WORDS)
    if kind < 6:
        return random.choice((None, True, False))
    if kind < 8:
        return [anything(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(WORDS + TEXTS): anything(random, depth + 1) for _ in range(random.randrange(4))}


def spoil_value(random: Random, message: Any) -> None:
    """One place anywhere in a message becomes something else, goes, or comes twice."""
    places = list(_places(message))
    if not places:
        return
    holder, key = random.choice(places)
    act = random.randrange(8)
    if act == 0:
        del holder[key]
    elif act == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif act == 1:
        holder[random.choice(WORDS)] = holder[key]
    elif act == 2 and isinstance(holder[key], list):
        holder[key] = holder[key] * random.choice((0, 2, 3, 50))
    elif act == 3:
        holder[key] = [holder[key]]
    elif act == 4 and type(holder[key]) is int:
        holder[key] += random.choice((-1, 1, 2**31, 2**62, -(2**40)))
    else:
        holder[key] = anything(random)


def _places(value: Any) -> Any:
    """Every place in a message: the list or dictionary and the key."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        for key, inside in holder.items() if isinstance(holder, dict) else enumerate(holder):
            yield holder, key
            if isinstance(inside, dict | list):
                waiting.append(inside)


def spoil_text(random: Random, text: bytes) -> bytes:
    """A token that JSON does not know, or does not know there, stands somewhere in the text."""
    at = random.randrange(len(text) + 1)
    end = min(len(text), at + random.choice((0, 0, 1, 2, 5, 20)))
    return text[:at] + random.choice(TOKENS) + text[end:]


def spoil_bytes(random: Random, data: bytes) -> bytes:
    """Some bytes are others, are gone, or come again."""
    at = random.randrange(len(data) + 1)
    end = min(len(data), at + random.choice((1, 1, 2, 4, 8, 64)))
    act = random.randrange(6)
    if act == 0:
        return data[:at]
    if act == 1:
        return data[:at] + data[end:]
    if act == 2:
        return data[:end] + data[at:end] * random.choice((1, 3, 200)) + data[end:]
    if act == 3:
        return data[:at] + random.randbytes(end - at) + data[end:]
    if act == 4:
        return data + random.randbytes(random.choice((1, 4, 40)))
    return data[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in data[at:end]) + data[end:]


def compressed(random: Random, data: bytes) -> tuple[bytes, str]:
    """The data packed in one of the ways in which callers pack, or nearly; and what its header says."""
    coding = random.choice(("gzip", "deflate"))
    pack: Callable[[bytes], bytes] = _gzip if coding == "gzip" else zlib.compress
    act = random.randrange(12)
    if act == 0:
        return pack(pack(data)), coding
    if act == 1:
        return pack(data) + pack(data), coding
    if act == 2:
        return pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :]), coding
    if act == 3:
        return pack(data)[: random.randrange(1, 30)], coding
    if act == 4:
        return spoil_bytes(random, pack(data)), coding
    if act == 5:
        return random.choice(_BOMBS), coding
    if act == 6:
        return pack(data), random.choice(CODINGS)
    if act == 7:
        return zlib.compress(data, wbits=-15), coding
    return pack(data), coding


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


_BOMBS = tuple(
    pack(pack(filler * (8 << 20)))
    if twice
    else pack(filler * (8 << 20))
    for pack in (_gzip, zlib.compress)
    for filler in (b" ", b"[", b"\0")
    for twice in (False, True)
)  # fmt: skip
"""Few bytes that hold eight megabytes, once and twice packed."""


def json_of(value: Any) -> bytes:
    """The value as JSON; what cannot stand there is written as Python would."""
    return msgspec.json.encode(value, enc_hook=str)
