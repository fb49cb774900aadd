"""The servers that this person's command line knows: a file that only they can read."""

import os
import stat
import tomllib
from pathlib import Path

import msgspec

from lockgate.environment import ClientSettings
from lockgate.errors import UnknownContext, UnreadableFile
from lockgate.toml import text

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_NAME = "default"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """A server and the key to use there."""

    url: str
    token: str = ""


class Contexts(msgspec.Struct, frozen=True, kw_only=True):
    """Every context, and which one is current."""

    current: str = DEFAULT_NAME
    contexts: dict[str, Context] = {}

    def named(self, name: str) -> Context:
        """The context with this name. Raises: UnknownContext."""
        if name not in self.contexts:
            raise UnknownContext(name=name)
        return self.contexts[name]

    def having(self, name: str, context: Context) -> "Contexts":
        """These contexts and one more, which becomes the current one."""
        return Contexts(current=name, contexts={**self.contexts, name: context})

    def without(self, name: str) -> "Contexts":
        """These contexts less one. Raises: UnknownContext."""
        self.named(name)
        rest = {each: context for each, context in self.contexts.items() if each != name}
        current = self.current if self.current in rest else next(iter(rest), DEFAULT_NAME)
        return Contexts(current=current, contexts=rest)


def read_contexts(path: Path) -> Contexts:
    """The contexts in the file; none when there is no file. Raises: UnreadableFile."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Contexts)
    except FileNotFoundError:
        return Contexts()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UnreadableFile(path=path, why=str(error)) from error


def write_contexts(path: Path, contexts: Contexts) -> None:
    """Put the contexts in place of the file before, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(temporary, flags, stat.S_IRUSR | stat.S_IWUSR), "w", encoding="utf-8") as file:
        file.write(_toml(contexts))
    temporary.replace(path)


def choose(settings: ClientSettings, url: str | None, name: str | None) -> Context:
    """The server to talk to: options first, then variables, the file, this machine. Raises: UnknownContext."""
    known = read_contexts(settings.contexts_file)
    wanted = name or settings.context
    found = known.named(wanted) if wanted else known.contexts.get(known.current, Context(url=DEFAULT_URL))
    chosen = url or ("" if name else settings.url) or found.url
    same_server = chosen.rstrip("/") == found.url.rstrip("/")
    return Context(url=chosen.rstrip("/"), token=settings.token or (found.token if same_server else ""))


def _toml(contexts: Contexts) -> str:
    lines = [f"current = {text(contexts.current)}"]
    for name, context in contexts.contexts.items():
        lines += [
            "",
            f"[contexts.{text(name)}]",
            f"url = {text(context.url)}",
            f"token = {text(context.token)}",
        ]
    return "\n".join(lines) + "\n"
