"""Asks a model on another server about the held-out items of a dataset: gently, and all of them or none.

| the server | the evaluation |
|---|---|
| answers | keeps the answers, with the version that they name |
| refuses the values, or fails on them (400, 422, 500) | asks in halves, then item by item; one alone is asked once more, and has no answer then, as where a file fails |
| fails so on more than one item in twenty | ends: that is no judgement on the model |
| says that it did not begin (no connection, 429, 503 with Retry-After; a circuit that is open) | waits and goes on, at most `PATIENCE_S` for one call |
| is too slow, breaks off, answers what its signature does not say | ends |
| names another version in the middle of it, or tells other metadata at the end | ends: that would be two models |

A first call has one item; further ones have twice as many while they are quick, up to `TOGETHER_MAX`. At most `AT_ONCE`
are on their way, and no more a second than whoever runs this Lockgate allows.
"""  # noqa: E501 - a row of a table is one line

import asyncio
from itertools import chain, islice
from pathlib import Path
from time import monotonic

from msgspec.structs import replace

from gateway.errors import GatewayError
from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.told_signature import ToldModel, as_first_told
from gateway.inference.transport import Answered
from gateway.inference.upstream_errors import UpstreamAnswerWrong, UpstreamUnavailable
from gateway.inference.upstream_session import UpstreamSession, open_upstream
from gateway.inference.upstreams import AllowedUpstreams
from gateway.plan import ReleasePlan
from gateway.protocol.datatypes import Tensor
from gateway.protocol.signature import Signature
from gateway.times import now_us
from review.learning.errors import ElsewhereNotAsked
from review.learning.heard import FORMAT, Heard, RanElsewhere, Said
from review.learning.running import batches_of
from review.learning.saying import alone, said_in, stacked

AT_ONCE = 4
TOGETHER_MAX = 32
QUICK_S = 0.5
PATIENCE_S = 60.0
FAILED_SHARE_MAX = 0.05
WHOLE_S = 3600.0
"""How long all of it may take."""
Feed = dict[str, Tensor]


async def hear(release: ReleasePlan, allowed: AllowedUpstreams, items: Path, sha256: str) -> Heard:
    """What the release says of every held-out item of an items file. Raises: ElsewhereNotAsked."""
    assert release.upstream is not None
    try:
        async with asyncio.timeout(WHOLE_S):
            return await _hear(release, allowed, items, sha256)
    except TimeoutError as error:
        raise _not_asked(release, f"it took longer than {WHOLE_S:g} s.") from error
    except GatewayError as error:
        raise _not_asked(release, str(error)) from error


async def _hear(release: ReleasePlan, allowed: AllowedUpstreams, items: Path, sha256: str) -> Heard:
    assert release.upstream is not None
    session = open_upstream(release.upstream, allowed)
    try:
        from_us, told = now_us(), await session.tell()
        _require_kept(release, told)
        hearing = _Hearing(release, session, items, 1.0 / allowed.evaluation_calls_per_s)
        said = await hearing.all()
        if await session.tell() != told:
            raise _not_asked(release, "its server told other metadata in the end than in the beginning.")
    finally:
        await session.end()
    ran = RanElsewhere(
        address=release.upstream.address, model=told.name, answered_as=hearing.version or "", versions=told.versions,
        signature=told.signature, from_us=from_us, until_us=now_us(),
    )  # fmt: skip
    return Heard(format=FORMAT, release=release.name, items=sha256, ran=ran, said=tuple(said))


class _Hearing:
    """One run over the items; the first failure ends it."""

    def __init__(self, release: ReleasePlan, session: UpstreamSession, items: Path, apart_s: float) -> None:
        self._release, self._session, self._card = release, session, release.card
        self._feeds = enumerate(chain.from_iterable(batches_of(session.signature, items)))
        self._apart_s = apart_s
        self._next_s = monotonic()
        self._together = 1
        self._said: dict[int, Said] = {}
        self._failed = 0
        self.version: str | None = None
        """The version that has answered; none before the first answer."""

    async def all(self) -> list[Said]:
        """What it says of each item, in their order."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._work())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        if self._failed > FAILED_SHARE_MAX * len(self._said):
            fault = f"its server failed on {self._failed} of {len(self._said)} items."
            raise _not_asked(self._release, fault)
        return [self._said[at] for at in sorted(self._said)]

    async def _work(self) -> None:
        while some := list(islice(self._feeds, self._together)):
            began, size = monotonic(), self._together
            said = await self._about([feed for _, feed in some])
            self._said.update(zip((at for at, _ in some), said, strict=True))
            quick = monotonic() - began < QUICK_S
            self._together = min(size * 2, TOGETHER_MAX) if quick else max(1, size // 2)

    async def _about(self, feeds: list[Feed]) -> list[Said]:
        """What it says of some items: together, else in halves, else one by one."""
        if len(feeds) == 1:
            return [await self._about_one(feeds[0])]
        together = stacked(self._session.signature, self._card, feeds)
        if together is not None:
            try:
                return said_in(self._card, (await self._ask(together)).outputs, len(feeds))
            except (ModelFailed, ModelRefusedValues) as error:
                _require_honest(error)
        half = len(feeds) // 2
        return [*await self._about(feeds[:half]), *await self._about(feeds[half:])]

    async def _about_one(self, feed: Feed) -> Said:
        request, rows = alone(self._session.signature, self._card, feed)
        for _ in range(2):
            try:
                return said_in(self._card, (await self._ask(request)).outputs, rows)[0]
            except ModelRefusedValues:
                return None, None
            except ModelFailed as error:
                _require_honest(error)
        self._failed += 1
        return None, None

    async def _ask(self, request: Feed) -> Answered:
        """The answer to a call, which is made again as long as the server has certainly not begun with it."""
        until_s, pause_s = monotonic() + PATIENCE_S, 1.0
        while True:
            await self._turn()
            try:
                answered = await self._session.answered(request)
            except UpstreamUnavailable as error:
                if not error.unread or monotonic() + pause_s > until_s:
                    raise
                await asyncio.sleep(max(pause_s, error.retry_after_s or 0.0))
                pause_s *= 2
            else:
                self._require_same(answered.version)
                return answered

    async def _turn(self) -> None:
        """Return when a call may be made, each a little after the one before."""
        self._next_s = max(self._next_s + self._apart_s, monotonic())
        await asyncio.sleep(self._next_s - monotonic())

    def _require_same(self, version: str) -> None:
        self.version = version if self.version is None else self.version
        if version != self.version:
            fault = f"version {self.version or 'without a name'} answered first, and then {version or 'one without'}."
            raise _not_asked(self._release, fault)


def _require_kept(release: ReleasePlan, told: ToldModel) -> None:
    """Return if the server tells the tensors that the release was admitted with."""
    assert release.upstream is not None
    admitted, now = release.upstream.signature, told.signature
    same_inputs = as_first_told(admitted, replace(now, outputs=admitted.outputs)).inputs == admitted.inputs
    if not same_inputs or _kinds(now) != _kinds(admitted):
        raise _not_asked(release, "its server tells other tensors now than when it was admitted.")


def _kinds(signature: Signature) -> set[tuple[str, str]]:
    """Names and datatypes of the outputs; their sizes are looked at in each answer, for servers tell untrue ones."""
    return {(spec.name, spec.datatype) for spec in signature.outputs}


def _require_honest(error: GatewayError) -> None:
    """Return unless the server answers something else than its signature says, which is no fault of an input."""
    if isinstance(error, UpstreamAnswerWrong):
        raise error


def _not_asked(release: ReleasePlan, fault: str) -> ElsewhereNotAsked:
    assert release.upstream is not None
    return ElsewhereNotAsked(release=release.name, address=release.upstream.address, fault=fault)
