"""Where settings come from: files, variables and options become one typed value, or one sentence on what is wrong."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from lockgate.environment import CLIENT_VARIABLES, CONFIG, CONFIG_FILE, PREFIX, read_environment
from lockgate.errors import UnknownSetting, UnreadableFile, WrongSetting
from lockgate.settings import Settings

MASK = "••••"


class Option(Struct, frozen=True, kw_only=True):
    """A setting as the documentation and `lockgate config` show it."""

    name: str
    variable: str
    type: Any
    expects: str
    default: str
    description: str
    secret: bool


class Found(Struct, frozen=True, kw_only=True):
    """A value that was given, and where."""

    value: Any
    source: str


class Loaded(Struct, frozen=True, kw_only=True):
    """The settings, with the source of each that is not the default."""

    settings: Settings
    sources: Mapping[str, str]

    def shown(self) -> Iterator[tuple[Option, str, str]]:
        """Each option with its value, secrets masked, and its source."""
        for option in options():
            value = str(getattr(self.settings, option.name))
            yield option, mask(value) if option.secret else value, self.sources.get(option.name, "default")


def load_settings(given: Mapping[str, Any] | None = None) -> Loaded:
    """The settings of this process; `given` holds what the command line says. Raises: CommandError."""
    return settle_settings(read_environment(), Path.cwd(), given or {})


def settle_settings(environment: Mapping[str, str], folder: Path, given: Mapping[str, Any]) -> Loaded:
    """The settings from a file, variables and options; the last one that names a setting counts.

    Raises: UnknownSetting, WrongSetting, UnreadableFile.
    """
    found = dict(_from_file(environment.get(CONFIG, ""), folder))
    found.update(_from_environment(environment))
    found.update({name: Found(value=value, source="the command line") for name, value in given.items()})
    by_name = {option.name: option for option in options()}
    values = {name: _typed(by_name[name], one) for name, one in found.items()}
    loaded = Loaded(settings=Settings(**values), sources={name: one.source for name, one in found.items()})
    _require_server(loaded)
    return loaded


def _require_server(loaded: Loaded) -> None:
    """Return if flags that are an Unleash server's have one to come from. Raises: WrongSetting."""
    settings = loaded.settings
    if settings.flags_source == "embedded":
        return
    for name, expected in (("unleash_url", "the server's http:// or https:// address"), ("unleash_token", "a token")):
        value = getattr(settings, name)
        if not value or (name == "unleash_url" and not value.startswith(("http://", "https://"))):
            why = f"flags_source is unleash, which needs {expected}"
            raise WrongSetting(name=name, why=why, source=loaded.sources.get(name, "default"))


def options() -> list[Option]:
    """Every setting, in the order of the documentation."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    return [_option(name, hint, defaults[name]) for name, hint in hints.items() if name in defaults]


def mask(value: str) -> str:
    """The value without its secret part: the password of a URL, or everything that is no URL."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        return MASK if value else ""
    credentials, at, place = rest.rpartition("@")
    if not at:
        return value
    user, colon, _ = credentials.partition(":")
    return f"{scheme}://{user}{colon}{MASK if colon else ''}@{place}"


def _option(name: str, hint: Any, default: Any) -> Option:
    metas = list(_metas(hint))
    extra = {key: value for meta in metas for key, value in (meta.extra or {}).items()}
    return Option(
        name=name,
        variable=f"{PREFIX}{name.upper()}",
        type=hint,
        expects=extra.get("expects") or _expects(hint, metas),
        default=str(default),
        description=next(meta.description for meta in reversed(metas) if meta.description),
        secret=bool(extra.get("secret")),
    )


def _metas(hint: Any) -> Iterator[Meta]:
    if get_origin(hint) is Annotated:
        inner, *rest = get_args(hint)
        yield from _metas(inner)
        yield from (meta for meta in rest if isinstance(meta, Meta))


def _expects(hint: Any, metas: list[Meta]) -> str:
    bounds = [
        f"{word} {bound}" for meta in metas for word, bound in (("from", meta.ge), ("to", meta.le)) if bound is not None
    ]
    return " ".join([_expected_type(hint), *bounds])


def _expected_type(hint: Any) -> str:
    bare = hint
    while get_origin(bare) is Annotated:
        bare = get_args(bare)[0]
    if get_origin(bare) is Literal:
        return f"one of {', '.join(get_args(bare))}"
    return {int: "a whole number", str: "text", Path: "a path"}[bare]


def _from_file(named: str, folder: Path) -> Iterator[tuple[str, Found]]:
    path = Path(named) if named else folder / CONFIG_FILE
    if not named and not path.exists():
        return
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableFile(path=path, why=_why(error)) from error
    names = {option.name for option in options()}
    for name, value in content.items():
        if name not in names:
            raise UnknownSetting(name=name, source=path, hint=_nearest(name, names))
        yield name, Found(value=value, source=str(path))


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Found]]:
    known = {option.variable: option for option in options()}
    for variable, value in sorted(environment.items()):
        holder = known.get(variable.removesuffix("_FILE"))
        if variable in known:
            yield known[variable].name, Found(value=value, source=variable)
        elif holder is not None and holder.secret:
            yield holder.name, Found(value=_secret(Path(value)), source=f"{variable} ({value})")
        elif variable not in CLIENT_VARIABLES:
            hint = _nearest(variable, {*known, *CLIENT_VARIABLES})
            raise UnknownSetting(name=variable, source="the environment", hint=hint)


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(path=path, why=_why(error)) from error


def _typed(option: Option, found: Found) -> Any:
    try:
        return msgspec.convert(found.value, option.type, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        shown = MASK if option.secret else repr(found.value)
        why = f"{shown} is not {option.expects}"
        raise WrongSetting(name=option.name, why=why, source=found.source) from error


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise msgspec.ValidationError("Expected a path")


def _nearest(name: str, names: set[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}" if near else ""


def _why(error: Exception) -> str:
    return (error.strerror or "it is not there") if isinstance(error, OSError) else str(error)
