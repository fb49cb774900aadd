"""Texts as TOML writes them; the standard library only reads it."""

import json
from collections.abc import Iterable


def text(value: str) -> str:
    """A basic string: JSON's, save that TOML takes no escaped surrogates and no bare DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def texts(values: Iterable[str]) -> str:
    """An array of strings."""
    return f"[{', '.join(map(text, values))}]"
