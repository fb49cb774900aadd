"""Reads a value of untrusted TOML as a struct and tells every fault at once, each with its place. Pure.

msgspec stops at the first fault; somebody who fills in a card wants the whole list.
"""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec


def faults_in(value: object, kind: Any, place: str = "") -> Iterator[str]:
    """Each fault of a value that should be of this kind, such as `labels.choices[2].key: Expected …`."""
    kind = _bare(kind)
    struct = _struct_in(kind)
    if struct is not None and isinstance(value, dict):
        yield from _struct_faults(value, struct, place)
    elif get_origin(kind) is tuple and isinstance(value, list):
        for index, each in enumerate(value):
            yield from faults_in(each, get_args(kind)[0], f"{place}[{index + 1}]")
    elif get_origin(kind) is dict and isinstance(value, dict):
        for name, each in value.items():
            yield from faults_in(each, get_args(kind)[1], _joined(place, name))
    else:
        yield from _leaf_faults(value, kind, place)


def _struct_faults(value: dict[str, Any], struct: type[msgspec.Struct], place: str) -> Iterator[str]:
    hints = get_type_hints(struct, include_extras=True)
    known = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name in value.keys() - known.keys():
        yield f"{_joined(place, name)}: there is no such field; here stand {', '.join(known)}"
    for name, field in known.items():
        if name in value:
            yield from faults_in(value[name], hints[field.name], _joined(place, name))
        elif field.required:
            yield f"{_joined(place, name)}: it is missing"


def _leaf_faults(value: object, kind: Any, place: str) -> Iterator[str]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if value == "":
            yield f"{place}: it is empty"
        else:
            yield f"{place}: {str(error).partition(' - at ')[0]}"


def _bare(kind: Any) -> Any:
    """The kind without the constraints of a container, which the final conversion checks."""
    if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) in (tuple, dict):
        return get_args(kind)[0]
    return kind


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a kind is, or may be."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
    return next((each for each in map(_struct_in, options) if each is not None), None)


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
