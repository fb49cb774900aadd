"""One ONNX model, open and ready to run. The only door to onnxruntime."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any, Protocol, Self, TypeVar

import msgspec
import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as driver

from gateway.inference.errors import (
    ModelFailed,
    ModelNotLoadable,
    ModelOutOfMemory,
    ModelRefusedValues,
    ProviderUnusable,
)
from gateway.inference.priority import go_behind
from gateway.inference.providers import BY_CPU, CPU, RUNTIME_NAMES, Name, Provider
from gateway.inference.samples import free_sizes, has_free_batch, sample_feeds
from gateway.inference.wish import with_usual
from gateway.protocol.datatypes import ONNX, ZIPMAPS, Tensor
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

RUNTIME: str = ort.__version__
"""The version of onnxruntime; what it makes of a graph holds for this one."""

INLINE_MAX_US = 300.0
"""Runs up to this long stay on the event loop: a hop to a thread and back costs a tenth of it (PERFORMANCE.md)."""

Work = TypeVar("Work")
Done = TypeVar("Done")

_FATAL_ONLY = 4
_WARM_BATCH = 16
_WARM_SLOW_BATCH = 4
_WARM_SLOW_MAX_US = 50_000.0
_WARM_RUNS = 5
_WARM_MAX_S = 0.2
_WARM_ROWS_MAX_US = 50_000.0

_DRIVER_ERRORS: tuple[type[Exception], ...] = (
    *(error for error in vars(driver).values() if isinstance(error, type) and issubclass(error, Exception)),
    MemoryError,
    RuntimeError,
    ValueError,
)
_MEMORY_WORDS = ("bad_alloc", "bad allocation", "Failed to allocate", "allocate memory")


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """How long a run takes: for one item, and for each further one. Unknown cost is infinite."""

    first_us: float = float("inf")
    further_us: float = 0.0

    def of(self, items: int) -> float:
        """The expected microseconds of a run with this many items."""
        return self.first_us + self.further_us * max(0, items - 1)


class Session(Protocol):
    """A model that can be run, here or elsewhere."""

    signature: Signature
    cost: Cost

    def run(
        self, feeds: Mapping[str, Tensor], outputs: Sequence[str] | None = None, stop: "Stop | None" = None
    ) -> dict[str, Tensor]:
        """The named outputs (all of them by default) for feeds that fit the signature. Raises: GatewayError."""

    def warm_up(self) -> None:
        """Get ready, so that the first request is not slow."""

    def close(self) -> None:
        """Give back what it holds, after the runs that have begun."""


class Stop:
    """Ends one run from another thread, when the model comes to its next node."""

    def __init__(self) -> None:
        self.options = ort.RunOptions()
        self.options.log_severity_level = _FATAL_ONLY
        self._also: list[Callable[[], object]] = []

    def also(self, end: Callable[[], object]) -> None:
        """End what runs elsewhere by calling this, too; at once where it has been told to end already."""
        self._also.append(end)
        if self.options.terminate:
            end()

    def now(self) -> None:
        """End the run, or the one that is about to begin; it fails as ModelFailed."""
        self.options.terminate = True
        for end in self._also:
            end()


class OnnxSession:
    """Runs a model, in the thread that asks or in one of its own."""

    def __init__(self, session: ort.InferenceSession, signature: Signature, provider: Name) -> None:
        self._session = session
        self.provider = provider
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="onnx", initializer=go_behind)
        self.signature = signature
        self._names = [spec.name for spec in signature.outputs]
        self.cost = Cost()
        alone = provider == CPU and session.get_session_options().intra_op_num_threads == 1
        self._clock = thread_time if alone else perf_counter
        """What a run is timed by: where all of it is in one thread, by what that takes of a processor."""

    @classmethod
    def open(
        cls,
        source: Path | bytes,
        *,
        threads: int = 1,
        providers: Sequence[Provider] = BY_CPU,
        write_to: Path | None = None,
    ) -> Self:
        """A session over a model file or its bytes, by the first of these providers that can be used.

        The shapes of the signature's outputs are as declared in the file, which may be untrue. `write_to` is where the
        optimised graph is written. Raises: ModelNotLoadable if onnxruntime cannot open it, ProviderUnusable if it can
        by none of them.
        """
        options = _options(threads)
        if write_to is not None:
            options.optimized_model_filepath = str(write_to)
        for index, provider in enumerate(providers):
            session = _opened(source, options, providers[index:])
            if session is not None:
                return cls(session, _signature(session), provider.name)
        raise ProviderUnusable(wanted=" or ".join(provider.name for provider in providers))

    @classmethod
    def open_optimised(cls, graph: Path, *, threads: int = 1) -> Self:
        """A session over a graph that `open` has written on a machine like this one. Raises: ModelNotLoadable."""
        options = _options(threads)
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = _opened(graph, options, BY_CPU)
        assert session is not None
        return cls(session, _signature(session), CPU)

    def run(
        self, feeds: Mapping[str, Tensor], outputs: Sequence[str] | None = None, stop: Stop | None = None
    ) -> dict[str, Tensor]:
        """The named outputs (all of them by default) for feeds that fit the signature; `stop` can end it early.

        Raises ModelRefusedValues where the model finds fault with the values, ModelOutOfMemory where it asks for too
        much, ModelFailed for everything else.
        """
        names = outputs or self._names
        try:
            arrays = self._session.run(names, feeds, stop.options if stop is not None else None)
        except driver.InvalidArgument as error:
            raise ModelRefusedValues from error
        except _DRIVER_ERRORS as error:
            raise (ModelOutOfMemory if out_of_memory(error) else ModelFailed) from error
        return {name: _tensor(array) for name, array in zip(names, arrays, strict=True)}

    def in_thread(self, work: Callable[[Work], Done], on: Work) -> Future[Done]:
        """Do work in this session's own thread, where a long run does not hold up the loop."""
        return self._executor.submit(work, on)

    def warm_up(self, usual: Mapping[str, tuple[int, ...]] | None = None, rows: int = 1) -> None:
        """Runs the model on made-up inputs, so that the first request is not slow, and measures its cost.

        They have the usual shapes of its card, else the first free sizes that the model takes, as admission tries them;
        one item, a few, and `rows` together, as many as requests may be joined to, where that is quick. A model that
        fails on made-up inputs keeps the unknown cost, and so a thread of its own.
        """
        shaped = with_usual(self.signature, usual or {})
        for free_size in free_sizes(shaped, items=_WARM_BATCH):
            with suppress(ModelFailed, ModelRefusedValues):
                self.cost = self._measured(shaped, free_size)
                break
        if rows > 1 and self.cost.of(rows) <= _WARM_ROWS_MAX_US:
            with suppress(ModelFailed, ModelRefusedValues):
                self.run(sample_feeds(shaped, items=rows, free_size=free_size))

    def close(self) -> None:
        """Ends the thread after the runs already queued; the model is freed with its last run."""
        self._executor.shutdown(wait=False)

    def _measured(self, shaped: Signature, free_size: int) -> Cost:
        """What a run takes. Raises: ModelFailed, ModelRefusedValues."""
        first_us = self._timed(sample_feeds(shaped, items=1, free_size=free_size))
        if not any(map(has_free_batch, shaped.inputs)):
            return Cost(first_us=first_us, further_us=first_us)
        return Cost(first_us=first_us, further_us=self._further_us(shaped, free_size, first_us))

    def _further_us(self, shaped: Signature, free_size: int, first_us: float) -> float:
        """What each item after the first adds, by a batch: a small one of a slow model, and none of a very slow one."""
        if first_us > _WARM_SLOW_MAX_US:
            return first_us
        items = _WARM_BATCH if first_us <= INLINE_MAX_US else _WARM_SLOW_BATCH
        batch_us = self._timed(sample_feeds(shaped, items=items, free_size=free_size))
        return max(0.0, (batch_us - first_us) / (items - 1))

    def _timed(self, feeds: Mapping[str, Tensor]) -> float:
        """The fastest of some runs in microseconds, the first not counted; noise only ever adds."""
        self.run(feeds)
        fastest, ends = float("inf"), perf_counter() + _WARM_MAX_S
        for _ in range(_WARM_RUNS):
            before = self._clock()
            self.run(feeds)
            fastest = min(fastest, self._clock() - before)
            if perf_counter() > ends:
                break
        return fastest * 1e6


def out_of_memory(error: BaseException | None) -> bool:
    """Whether onnxruntime gave up for want of memory, which it says in words only."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _MEMORY_WORDS)


def present_providers() -> tuple[Name, ...]:
    """The execution providers that this build of onnxruntime brings; a driver or a device may still be missing."""
    present = ort.get_available_providers()
    return tuple(name for name, runtime_name in RUNTIME_NAMES.items() if runtime_name in present)


def _opened(
    source: Path | bytes, options: ort.SessionOptions, providers: Sequence[Provider]
) -> ort.InferenceSession | None:
    """A session by the first of these, the others taking what it cannot run; None where it silently is not by it.

    Raises: ModelNotLoadable.
    """
    wanted = [(RUNTIME_NAMES[provider.name], dict(provider.options)) for provider in providers]
    try:
        session = ort.InferenceSession(
            source if isinstance(source, bytes) else str(source), options, providers=wanted, enable_fallback=0
        )
    except _DRIVER_ERRORS as error:
        if providers[0].name != CPU:
            _warn_of(providers[0].name, str(error)[:500])
            return None
        raise ModelNotLoadable from error
    if session.get_providers()[0] != wanted[0][0]:
        _warn_of(providers[0].name, "it fell back")
        return None
    return session


def _warn_of(unusable: Name, error: str) -> None:
    import structlog  # here, for it would be a fifth of what the admission process loads, which has no use for it

    structlog.get_logger().warning("provider_unusable", provider=unusable, error=error)


def _options(threads: int) -> ort.SessionOptions:
    """Silent, with threads that sleep between runs instead of spinning on a core that the loop needs."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _signature(session: ort.InferenceSession) -> Signature:
    """The signature that the file declares."""
    return Signature(
        inputs=tuple(_spec(argument) for argument in session.get_inputs()),
        outputs=tuple(_spec(argument) for argument in session.get_outputs()),
    )


def _tensor(value: Any) -> Tensor:
    """What the runtime gave as an array; a zipmap has a row an item and a column a class, in the order of its keys."""
    if type(value) is not list:
        return np.asarray(value)
    rows = [list(row.values()) for row in value]
    return np.array(rows, np.float32).reshape(len(rows), len(rows[0]) if rows else 0)


def _spec(argument: Any) -> TensorSpec:
    """One declared input or output; ModelNotLoadable for a type that admission refuses."""
    if argument.type in ZIPMAPS:
        return TensorSpec(name=argument.name, datatype="FP32", shape=(ANY_SIZE, ANY_SIZE))
    if argument.type not in ONNX:
        raise ModelNotLoadable
    shape = tuple(size if isinstance(size, int) and size >= 0 else ANY_SIZE for size in argument.shape)
    return TensorSpec(name=argument.name, datatype=ONNX[argument.type], shape=shape)
