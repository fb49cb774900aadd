"""The reference of both HTTP interfaces, read off their OpenAPI documents, and of every error. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

METHODS = ("get", "post", "put", "patch", "delete")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter, or a member of a body."""

    name: str
    place: str
    """Where it stands: `path`, `query`, `header`, or `` in a body."""
    kind: str
    required: bool
    help: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What may come back."""

    status: str
    help: str
    kind: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One verb of one path."""

    id: str
    method: str
    path: str
    summary: str
    help: str
    parameters: tuple[Field, ...]
    body: str
    """The kind of its body; empty where it takes none."""
    answers: tuple[Answer, ...]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one subject."""

    name: str
    operations: tuple[Operation, ...]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A named body or part of one."""

    name: str
    help: str
    fields: tuple[Field, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One interface."""

    title: str
    address: str
    """Where its OpenAPI document is."""
    groups: tuple[Group, ...]
    kinds: tuple[Kind, ...]


class ErrorTold(msgspec.Struct, frozen=True, kw_only=True):
    """An error: its code and status are stable."""

    code: str
    status: int
    says: str


def reference_of(document: Mapping[str, Any], address: str) -> Reference:
    """What an OpenAPI 3.1 document says, in the order of its paths."""
    groups: dict[str, list[Operation]] = {}
    for path, item in sorted(document["paths"].items()):
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(path, method, item[method]))
    schemas = document.get("components", {}).get("schemas", {})
    return Reference(
        title=document["info"]["title"],
        address=address,
        groups=tuple(Group(name=name, operations=tuple(found)) for name, found in sorted(groups.items())),
        kinds=tuple(_kind(name, schema) for name, schema in sorted(schemas.items())),
    )


def errors_of(trees: Iterable[type[Exception]]) -> tuple[ErrorTold, ...]:
    """Every error below these, by code; of several with one code, the first."""
    found = {error.code: error for error in map(_error, _descendants(trees))}
    return tuple(found[code] for code in sorted(found))


def kind_name(schema: Mapping[str, Any]) -> str:
    """A schema's kind in words, such as `list of Served` or `text or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(map(kind_name, schema[several])))
    if "enum" in schema or "const" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    return _plain(schema)


def _plain(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {kind_name(schema.get('items', {}))}"
    return {"string": str(schema.get("format", "text")), "object": "object"}.get(kind, str(kind))


def _operation(path: str, method: str, found: Mapping[str, Any]) -> Operation:
    summary, help_ = str(found.get("summary", "")), str(found.get("description", ""))
    if " " not in summary and help_:  # a name that was made from the function's
        summary, help_ = help_, ""
    return Operation(
        id=str(found.get("operationId", f"{method}-{path}")),
        method=method.upper(),
        path=path,
        summary=summary,
        help=help_,
        parameters=tuple(_parameter(each) for each in found.get("parameters", ())),
        body=_content(found.get("requestBody", {})),
        answers=tuple(
            Answer(status=status, help=str(each.get("description", "")), kind=_content(each))
            for status, each in sorted(found.get("responses", {}).items())
        ),
    )


def _parameter(found: Mapping[str, Any]) -> Field:
    return Field(
        name=found["name"],
        place=found["in"],
        kind=kind_name(found.get("schema", {})),
        required=bool(found.get("required")),
        help=str(found.get("description") or ""),
    )


def _content(found: Mapping[str, Any]) -> str:
    schemas = [each.get("schema") or {} for each in found.get("content", {}).values()]
    return " or ".join(dict.fromkeys(kind_name(schema) for schema in schemas if schema))


def _kind(name: str, schema: Mapping[str, Any]) -> Kind:
    required = schema.get("required", ())
    return Kind(
        name=name,
        help=str(schema.get("description", "")),
        fields=tuple(
            Field(
                name=field,
                place="",
                kind=kind_name(each),
                required=field in required,
                help=str(each.get("description", "")),
            )
            for field, each in schema.get("properties", {}).items()
        ),
    )


def _descendants(kinds: Iterable[type[Exception]]) -> Iterator[type[Exception]]:
    for kind in kinds:
        yield kind
        yield from _descendants(kind.__subclasses__())


def _error(kind: Any) -> ErrorTold:
    return ErrorTold(code=kind.code, status=kind.status, says=" ".join((kind.__doc__ or "").split()))
