"""Flags asked of the engine as seldom as can be: folded where nothing can differ, else kept by the fields they read.

Three questions to the engine and the context that they need cost more than a small model. Most flags are on or off for
everybody, and answer without any context; a constraint on a few values asks the engine once for each of them, and one
on the clock once between two moments that it names. A flag that draws by request is asked each time, as is one that
plays with chance.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from flags.answer import FAILED, FlagAnswer, FlagView
from flags.context import RequestFacts, encoded, encoded_fields, evaluation_context, field_of
from flags.engine import LoadedEngine, load
from flags.names import of_model
from flags.reading import BY_CHANCE, NOTHING, Reads
from flags.slicing import at_once, reads_in_slices

KEPT_MAX: Final = 1024
"""How many answers of one flag are kept; beyond, they are forgotten and asked anew."""
_NO_CONTEXT: Final = b'{"sessionId":"nobody"}'
_MILLISECOND_US: Final = 1000

_Key = tuple[str | int | None, ...]


def fold(body: bytes) -> "FoldedFlags":
    """The flags of a state in Unleash's JSON, loaded at once; raises `NotAFeatureState` where it is none."""
    return FoldedFlags(load(body), at_once(reads_in_slices(body)))


class FoldedFlags:
    """The flags of a loaded state; `reads` says what each depends on, None that nobody knows."""

    def __init__(self, engine: LoadedEngine, reads: Mapping[str, Reads] | None) -> None:
        self._engine = engine
        self._reads = reads
        self._flags: dict[str, _Flag] = {}
        self._models: dict[str, _Model] = {}

    @property
    def digest(self) -> str:
        """The digest of the state."""
        return self._engine.digest

    @property
    def warning(self) -> str | None:
        """What the engine said of flags that it can only answer with off."""
        return self._engine.warning

    @property
    def kept(self) -> int:
        """How many answers are kept now, of all flags together: `KEPT_MAX` of each at most."""
        return sum(flag.kept for flag in self._flags.values())

    def view(self, facts: RequestFacts) -> FlagView:
        """The three flags of a model for one request."""
        model = self._models.get(facts.model)
        if model is None:
            flags = [self._flag(name) for name in of_model(facts.model).all()]
            fields = None if self._reads is None else _together(flags)
            model = self._models[facts.model] = _Model(flags, self.digest, fields)
        return model.view(facts)

    def answer(self, flag: str, facts: RequestFacts) -> FlagAnswer:
        """One flag of any name for one request, as a view would have it."""
        return self._flag(flag).answer(_Context(facts))

    def reads(self, flag: str) -> Reads:
        """What the answer of a flag depends on."""
        return self._flag(flag).reads

    def ask(self, flag: str, contexts: Iterable[bytes]) -> Iterator[FlagAnswer]:
        """One flag in many encoded contexts, each asked of the engine, none kept."""
        return self._engine.answers(flag, contexts)

    def forget(self) -> None:
        """Let all answers go, flag by flag: what asked a million times takes a while to give back."""
        self._models.clear()
        while self._flags:
            self._flags.popitem()

    def _flag(self, name: str) -> "_Flag":
        found = self._flags.get(name)
        if found is None:
            reads = BY_CHANCE if self._reads is None else self._reads.get(name, NOTHING)
            found = self._flags[name] = _Flag(self._engine, name, reads)
        return found


class _Context:
    """The context of one request, encoded when the first flag needs it."""

    def __init__(self, facts: RequestFacts | None) -> None:
        self.facts = facts

    @cached_property
    def body(self) -> bytes:
        """The context as the engine reads it; nobody's where no flag can tell."""
        return _NO_CONTEXT if self.facts is None else encoded(evaluation_context(self.facts))


class _Model:
    """The flags of one model, answered by one view for everybody where nothing differs."""

    def __init__(self, flags: list["_Flag"], state: str, fields: tuple[str, ...] | None) -> None:
        self._flags = flags
        self._state = state
        self._fields = fields
        self._for_all = self._view(_Context(None)) if all(flag.reads.nothing for flag in flags) else None

    def view(self, facts: RequestFacts) -> FlagView:
        """The three flags for one request."""
        return self._view(_Context(facts)) if self._for_all is None else self._for_all

    def _view(self, context: _Context) -> FlagView:
        automated, shadow, candidate = self._flags
        return FlagView(
            automated=automated.answer(context),
            shadow=shadow.answer(context),
            candidate=candidate.answer(context),
            state=self._state,
            loaded=True,
            fields=self._fields,
        )


class _Flag:
    """One flag with the answers that are kept of it."""

    def __init__(self, engine: LoadedEngine, name: str, reads: Reads) -> None:
        self.reads = reads
        self._engine = engine
        self._name = name
        self._kept: dict[_Key, FlagAnswer] = {}

    @property
    def kept(self) -> int:
        """How many answers are kept now."""
        return len(self._kept)

    def answer(self, context: _Context) -> FlagAnswer:
        """The flag's answer in a context."""
        facts = context.facts
        if self.reads.chance:
            return self._engine.answer(self._name, context.body)
        if facts is not None and _only_once(self.reads, facts):
            body = context.body if self.reads.moments else encoded_fields(facts, self.reads.fields)
            return self._engine.answer(self._name, body)
        key = () if facts is None else _key(self.reads, facts)
        kept = self._kept.get(key)
        return self._keep(key, context) if kept is None else kept

    def _keep(self, key: _Key, context: _Context) -> FlagAnswer:
        answer = self._engine.answer(self._name, context.body)
        if answer != FAILED:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[key] = answer
        return answer


def _together(flags: Iterable[_Flag]) -> tuple[str, ...]:
    """The fields that the flags read, each once, in order."""
    return tuple(sorted({field for flag in flags for field in flag.reads.fields}))


def _only_once(reads: Reads, facts: RequestFacts) -> bool:
    """Whether the answer hangs on the request itself, so that keeping it would serve nobody."""
    return "sessionId" in reads.fields and not (facts.session_id or facts.user_id)


def _key(reads: Reads, facts: RequestFacts) -> _Key:
    """What an answer is kept by: the fields that are read, and where the request is among the moments."""
    fields = [field_of(facts, field) for field in reads.fields]
    return (*fields, _place(reads.moments, facts.now_us)) if reads.moments else tuple(fields)


def _place(moments: tuple[int, ...], now_us: int) -> int:
    """Where a time is among moments: even between two of them, odd at one, which is neither before nor after it.

    The engine is told the time to the millisecond, so the millisecond that begins at a moment is that moment.
    """
    told_us = now_us - now_us % _MILLISECOND_US
    return bisect_left(moments, told_us) + bisect_right(moments, told_us)
