"""Every metric of the product in one index, with counters cheap enough for the hot path.

A family keeps plain numbers in a dict and is rendered when somebody scrapes; nothing locks, because one event loop
owns a process's numbers. The declarations at the end are the index, of which docs/metrics.md is made.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal, Protocol
from weakref import WeakSet

Labels = tuple[str, ...]
Sample = tuple[str, Labels, float]

INDEX: "dict[str, Family]" = {}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Family:
    """A metric with its label names; it enters the index when it is made."""

    kind: ClassVar[Literal["counter", "gauge", "histogram"]]

    def __init__(self, name: str, help_: str, labels: Labels = ()) -> None:
        self.name = name
        self.help = help_
        self.labels = labels
        self.values: dict[Labels, float] = {}
        INDEX[name] = self

    def samples(self) -> Iterator[Sample]:
        """Suffix, label values and value of each sample."""
        for labels, value in self.values.items():
            yield "", labels, value

    def render(self, process: str) -> Iterator[str]:
        """The family in the text format of Prometheus, each sample with its process."""
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        for suffix, labels, value in self.samples():
            names = (*self.labels, "le") if suffix == "_bucket" else self.labels
            pairs = [f'{name}="{_escaped(label)}"' for name, label in zip(names, labels, strict=True)]
            yield f"{self.name}{suffix}{{{','.join([*pairs, _process(process)])}}} {value:.17g}"

    def forget(self) -> None:
        """Start again from nothing; for tests."""
        self.values.clear()


class Counter(Family):
    """A number that only grows."""

    kind = "counter"

    def add(self, *labels: str, by: float = 1) -> None:
        """Count one more, or `by` more."""
        self.values[labels] = self.values.get(labels, 0) + by


class Gauge(Family):
    """A number that comes and goes."""

    kind = "gauge"

    def put(self, value: float, *labels: str) -> None:
        """Say what it is now."""
        self.values[labels] = value


class Histogram(Family):
    """Counts of durations in seconds, or of other numbers, by upper bound."""

    kind = "histogram"

    def __init__(self, name: str, help_: str, labels: Labels = (), bounds: tuple[float, ...] = SECONDS) -> None:
        super().__init__(name, help_, labels)
        self.bounds = bounds
        self.buckets: dict[Labels, list[int]] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        """Count one duration."""
        self.observe_each((seconds,), *labels)

    def observe_each(self, seconds: Sequence[float], *labels: str) -> None:
        """Count each of these durations."""
        buckets = self.buckets.get(labels)
        if buckets is None:
            buckets = self.buckets[labels] = [0] * (len(self.bounds) + 1)
        for one in seconds:
            buckets[bisect_left(self.bounds, one)] += 1
        self.values[labels] = self.values.get(labels, 0.0) + sum(seconds)

    def samples(self) -> Iterator[Sample]:
        """Cumulative buckets, count and sum."""
        for labels, buckets in self.buckets.items():
            below = 0
            for bound, count in zip((*self.bounds, float("inf")), buckets, strict=True):
                below += count
                yield "_bucket", (*labels, "+Inf" if bound == float("inf") else f"{bound:g}"), below
            yield "_count", labels, below
            yield "_sum", labels, self.values[labels]

    def forget(self) -> None:
        """Start again from nothing; for tests."""
        super().forget()
        self.buckets.clear()


class Late(Protocol):
    """Counts things a moment later, many at once."""

    def catch_up(self) -> None:
        """Count what is not counted yet."""


_LATE: WeakSet[Late] = WeakSet()


def counts_late(late: Late) -> None:
    """Whoever reads counts from now on has this one catch up first, for as long as somebody else keeps it."""
    _LATE.add(late)


def catch_up() -> None:
    """Have everything counted that has happened."""
    for late in tuple(_LATE):
        late.catch_up()


def render(process: str) -> str:
    """Everything this process counted, in the text format of Prometheus."""
    catch_up()
    return "\n".join(line for family in INDEX.values() for line in family.render(process)) + "\n"


def merge(texts: Iterable[str]) -> str:
    """The texts of several processes as one: each family once, in the order of the index."""
    samples: dict[str, list[str]] = {name: [] for name in INDEX}
    for text in texts:
        name = ""
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name = line.split(" ", 3)[2]
            elif not line.startswith("#") and name in samples:
                samples[name].append(line)
    lines: list[str] = []
    for name, family in INDEX.items():
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}", *samples[name]]
    return "\n".join(lines) + "\n"


def _process(name: str) -> str:
    return f'process="{_escaped(name)}"'


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


PREDICTIONS = Counter("lockgate_predictions_total", "Predictions decided.", ("model", "release", "path", "rule"))
PREDICTION_SECONDS = Histogram(
    "lockgate_prediction_seconds",
    "Seconds from a request to its answer, waiting included.",
    ("model",),
)
REFUSALS = Counter("lockgate_refusals_total", "Requests that were answered with an error.", ("code",))
SESSION_BYTES = Gauge(
    "lockgate_session_bytes",
    "What a session is counted with, by the release it is most needed for; cold: closed for want of memory.",
    ("release", "place", "state"),
)
SESSIONS_MAX_BYTES = Gauge("lockgate_sessions_max_bytes", "What sessions may take together; 0: no limit.")
SESSION_THREADS = Gauge("lockgate_session_threads", "Threads of all open sessions.")
CORES = Gauge("lockgate_cores", "Cores that the process may run on.")
UPSTREAM_CALLS = Counter(
    "lockgate_upstream_calls_total", "Calls to upstreams by what became of them.", ("upstream", "outcome")
)
UPSTREAM_OPEN = Gauge(
    "lockgate_upstream_circuit_open", "Whether an upstream failed so often that it is left alone.", ("upstream",)
)
DELIVERIES = Counter("lockgate_deliveries_total", "What callers of held predictions were told.", ("kind",))
WAITING = Gauge("lockgate_waiting_callers", "Callers who wait for a person now.", ("model",))
PAYLOADS_IGNORED = Counter(
    "lockgate_flag_payloads_ignored_total",
    "Variant payloads that do not validate or name another release.",
    ("model",),
)
PAYLOADS_DROPPED = Counter(
    "lockgate_payloads_dropped_total", "Payloads of unselected predictions that could not be kept.", ("model",)
)
AUDITS = Counter("lockgate_audits_total", "Drawn items: put before people, or lost with their payload.", ("result",))
JOINED_REQUESTS = Histogram(
    "lockgate_joined_requests", "Requests that one run of a model answered.", ("model",), (1, 2, 4, 8, 16, 32, 64, 128)
)
LINE_REFUSED = Counter(
    "lockgate_line_refused_total", "Requests refused because too many waited for the model.", ("model",)
)
SHADOW_RUNS = Counter(
    "lockgate_shadow_runs_total",
    "Runs beside an answer: answered, failed, timed_out or dropped.",
    ("model", "release", "status"),
)
DISAGREEMENTS = Counter(
    "lockgate_disagreements_total", "Drawn disagreements: put before people, or lost with their payload.", ("result",)
)
GUARD_WATCHES = Gauge("lockgate_guard_watches", "Promotions that the guard watches now.")
GUARD_VERDICTS = Counter(
    "lockgate_guard_verdicts_total",
    "What became of watches: passed, advised, paused or rolled_back.",
    ("model", "verdict"),
)
FLAG_AGE = Gauge("lockgate_flag_age_seconds", "Seconds since the flags were last known to be current.")
FLAG_REVISION = Gauge(
    "lockgate_flag_revision", "Revision of the flags in force, as their source counts it.", ("source",)
)
FLAG_FETCHES = Counter(
    "lockgate_flag_fetches_total",
    "Fetches from an Unleash server: confirmed, or unreachable, silent, refused, unexpected or unreadable.",
    ("result",),
)
FLAG_STATES_UNKEPT = Gauge(
    "lockgate_flag_states_unkept", "Fetched flag states that the ledger does not hold yet, because it is away."
)
FLAG_USAGE = Counter("lockgate_flag_usage_total", "Reports of usage to an Unleash server: told or failed.", ("result",))
FLAG_ANSWERS_KEPT = Gauge(
    "lockgate_flag_answers_kept", "Answers of flags that are kept, so that equal contexts need no evaluation."
)
PLAN_REVISION = Gauge("lockgate_plan_revision", "Revision of the plan in force.")
TRAFFIC_ENTRIES = Gauge("lockgate_traffic_entries", "Entries that this process has appended to its traffic log.")
TRAFFIC_UNRECORDED = Gauge("lockgate_traffic_unrecorded", "Answers that left unrecorded because the disk was full.")
DEPENDENCY_UP = Gauge("lockgate_dependency_up", "1 while a dependency answers, 0 while it does not.", ("dependency",))
API_REQUESTS = Counter("lockgate_api_requests_total", "Requests to the API and the console.", ("method", "status"))
API_SECONDS = Histogram("lockgate_api_seconds", "Seconds that a request to the API or the console took.", ("method",))
SIGN_INS = Counter("lockgate_sign_ins_total", "Attempts to sign in to the console.", ("result",))
JOB_RUNS = Counter("lockgate_job_runs_total", "Runs of the worker's jobs: done or failed.", ("job", "result"))
JOB_SECONDS = Histogram("lockgate_job_seconds", "Seconds that a run of a worker's job took.", ("job",))
TRAININGS = Counter(
    "lockgate_trainings_total", "Trainings that a worker has ended: done, failed or cancelled.", ("model", "result")
)
LEASE_HELD = Gauge("lockgate_worker_lease_held", "1 in the process that holds the worker's lease.")
CHILD_UP = Gauge("lockgate_child_up", "1 while a supervised process runs and is ready.", ("child",))
CHILD_RESTARTS = Counter("lockgate_child_restarts_total", "Restarts of supervised processes that died.", ("child",))
