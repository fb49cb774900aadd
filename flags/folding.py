"""Flags asked of the engine as seldom as can be: folded where nothing can differ, else kept by the fields they read.

Three questions to the engine and the context that they need cost more than a small model. Most flags are on or off for
everybody, and answer without any context; a constraint on a few values asks the engine once for each of them. A flag
that draws by session is asked each time, as is one that plays with chance or looks at the clock.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from flags.answer import FAILED, FlagAnswer, FlagView
from flags.context import RequestFacts, encoded, encoded_fields, evaluation_context, field_of
from flags.definitions import State, state_from
from flags.engine import LoadedEngine
from flags.errors import FlagsError
from flags.names import of_model
from flags.reading import Reads, reads_of

KEPT_MAX: Final = 1024
"""How many answers of one flag are kept; beyond, they are forgotten and asked anew."""
_NO_CONTEXT: Final = b'{"sessionId":"nobody"}'


class FoldedFlags:
    """The flags of a loaded state."""

    def __init__(self, engine: LoadedEngine, body: bytes) -> None:
        self._engine = engine
        self._state = _state_of(body)
        self._models: dict[str, Callable[[RequestFacts], FlagView]] = {}

    @property
    def digest(self) -> str:
        """The digest of the state."""
        return self._engine.digest

    @property
    def warning(self) -> str | None:
        """What the engine said of flags that it can only answer with off."""
        return self._engine.warning

    def view(self, facts: RequestFacts) -> FlagView:
        """The three flags of a model for one request."""
        found = self._models.get(facts.model)
        if found is None:
            found = self._models[facts.model] = self._view_of(facts.model)
        return found(facts)

    def _view_of(self, model: str) -> Callable[[RequestFacts], FlagView]:
        """How the model's flags are answered: by one view for everybody where nothing differs."""
        flags = [_Flag(self._engine, name, self._reads(name)) for name in of_model(model).all()]
        if all(flag.reads.nothing for flag in flags):
            view = self._view(flags, _Context(None))
            return lambda _: view
        return lambda facts: self._view(flags, _Context(facts))

    def _view(self, flags: list["_Flag"], context: "_Context") -> FlagView:
        automated, shadow, candidate = flags
        return FlagView(
            automated=automated.answer(context),
            shadow=shadow.answer(context),
            candidate=candidate.answer(context),
            state=self._engine.digest,
            loaded=True,
        )

    def _reads(self, flag: str) -> Reads:
        return Reads(chance=True) if self._state is None else reads_of(self._state, flag)


class _Context:
    """The context of one request, encoded when the first flag needs it."""

    def __init__(self, facts: RequestFacts | None) -> None:
        self.facts = facts

    @cached_property
    def body(self) -> bytes:
        """The context as the engine reads it; nobody's where no flag can tell."""
        return _NO_CONTEXT if self.facts is None else encoded(evaluation_context(self.facts))


class _Flag:
    """One flag with the answers that are kept of it."""

    def __init__(self, engine: LoadedEngine, name: str, reads: Reads) -> None:
        self.reads = reads
        self._engine = engine
        self._name = name
        self._kept: dict[tuple[str | None, ...], FlagAnswer] = {}

    def answer(self, context: _Context) -> FlagAnswer:
        """The flag's answer in a context."""
        facts = context.facts
        if self.reads.chance:
            return self._engine.answer(self._name, context.body)
        if facts is not None and _only_once(self.reads, facts):
            return self._engine.answer(self._name, encoded_fields(facts, self.reads.fields))
        key = () if facts is None else tuple([field_of(facts, field) for field in self.reads.fields])
        kept = self._kept.get(key)
        return self._keep(key, context) if kept is None else kept

    def _keep(self, key: tuple[str | None, ...], context: _Context) -> FlagAnswer:
        answer = self._engine.answer(self._name, context.body)
        if answer != FAILED:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[key] = answer
        return answer


def _only_once(reads: Reads, facts: RequestFacts) -> bool:
    """Whether the answer hangs on the request itself, so that keeping it would serve nobody."""
    return "sessionId" in reads.fields and not (facts.session_id or facts.user_id)


def _state_of(body: bytes) -> State | None:
    """The definitions, if they are of a form known here; a newer form is left to the engine."""
    try:
        return state_from(body)
    except FlagsError:
        return None
