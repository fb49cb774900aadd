"""What plain requests of one key for one path are answered with, made once for a plan and used until it changes."""

from typing import Self
from uuid import UUID

import msgspec

from flags.answer import FlagView
from flags.context import RequestFacts
from flags.embedded import AdoptedFlags
from gateway.decide import Question, decide
from gateway.decision import Asked, Decision
from gateway.errors import GatewayError
from gateway.express.companion import Companion
from gateway.express.judging import PlainJudge
from gateway.express.moulds import EntryMould, ReplyMould, mould_facts
from gateway.express.outputs import Heads
from gateway.express.reading import PlainReader, PlainRequest
from gateway.inference.batching import Batcher
from gateway.inference.session import INLINE_MAX_US
from gateway.plan import Caller, ModelPlan
from gateway.protocol.binary import room_for
from gateway.registry.live import LivePlan, LiveRelease

ASKED = Asked()
"""What a plain request asks for beside the answer: nothing."""
ANSWERINGS_MAX = 64
ROOM_MAX_BYTES, ROOM_MAX_JSON_BYTES = 1 << 20, 4 << 20
"""The size of a body whose digest may hold up the loop; JSON of numbers is several times their size."""


class Answering(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decision under one state of the flags, with its moulds."""

    view: FlagView
    environment: str
    revision: int
    decision: Decision
    entry: EntryMould
    reply: ReplyMould
    companion: Companion | None
    """The trial's other release where its runs are joined; None also where it runs as beside any other answer."""


class Target:
    """A key and a path: whose requests they are, for which model, and how those are read and judged."""

    def __init__(self, live: LivePlan, caller: Caller, model: ModelPlan, release: LiveRelease, batcher: Batcher,
                 reader: PlainReader, judge: PlainJudge) -> None:  # fmt: skip
        self.live = live
        self.caller = caller
        self.model = model
        self.release = release
        self.batcher = batcher
        self.reader = reader
        self.judge = judge
        self.short = release.session.cost.of(1) <= INLINE_MAX_US
        """Whether its runs stay on the loop."""
        self.tells_much = False
        """Whether its outputs were seen to be more than an entry has room for."""
        self.key_bytes = caller.key_id.bytes
        self.heads: Heads = {}
        self._tenant, self._caller = str(caller.tenant_id), str(caller.key_id)
        self._answerings: dict[tuple[FlagView, int], Answering | None] = {}
        self._last: Answering | None = None

    @classmethod
    def of(cls, live: LivePlan, caller: Caller, name: str, version: str | None) -> Self | None:
        """What a caller who may asks of a model; None where its requests are never plain, or the version is another."""
        try:
            model = live.model(caller.tenant_id, name, version)
            release = live.live(model.champion)
        except GatewayError:
            return None
        card, runner = release.release.card, release.runner
        reader = PlainReader.of(
            release.session.signature, card.batch_axis, release.decoder, release.release.policy.capture
        )
        judge = PlainJudge.of(card, release.release.policy)
        if not isinstance(runner, Batcher) or card.beside or reader is None or judge is None:
            return None
        return cls(live, caller, model, release, runner, reader, judge)

    def room(self, size: int, json_bytes: int | None) -> memoryview | None:
        """Room for a body of this size whose JSON ends after `json_bytes`; None where it is not taken whole.

        That is so where the model is short or has much to tell, most of what it is asked is kept, or its line is full.
        """
        large = size > (ROOM_MAX_JSON_BYTES if json_bytes is None else ROOM_MAX_BYTES)
        if large or self.short or self.tells_much or not self.reader.large:
            return None
        return room_for(size, json_bytes or 0) if self.batcher.has_room(self.caller.key_id) else None

    def answering(self, flags: AdoptedFlags, request: PlainRequest, now_us: int, process: str) -> Answering | None:
        """How a request is answered, if its model answers it by itself."""
        view = flags.look(self._facts(flags, request, now_us))
        stale = flags.age_s(now_us) > self.release.release.policy.stale_after_s
        precedents = self.model.precedents
        if stale or (precedents and (self.release.release.label_schema_sha256, request.digest) in precedents):
            return None
        last, revision = self._last, flags.revision
        if last is not None and last.view is view and last.revision == revision:
            return last
        known = self._answerings.get((view, revision))
        if known is None and (view, revision) not in self._answerings:
            if len(self._answerings) >= ANSWERINGS_MAX:
                self._answerings.clear()
            known = self._answerings[view, revision] = self._answering(flags, view, request, now_us, process)
        self._last = known
        return known

    def _facts(self, flags: AdoptedFlags, request: PlainRequest, now_us: int) -> RequestFacts:
        return RequestFacts(
            model=self.model.name,
            tenant=self._tenant,
            caller=self._caller,
            sticky_key=request.digest,
            now_us=now_us,
            environment=flags.environment,
        )

    def _answering(
        self, flags: AdoptedFlags, view: FlagView, request: PlainRequest, now_us: int, process: str
    ) -> Answering | None:
        """The decision for this view and its moulds; None where anybody but the champion answers."""
        question = Question(
            model=self.model, flags=view, flags_age_s=flags.age_s(now_us), asked=ASKED, may_pin=False,
            input_digest=request.digest, now_us=now_us,
        )  # fmt: skip
        decision = decide(question)
        if decision.by != "model" or decision.payload == "ignored" or decision.release.id != self.release.release.id:
            return None
        tenant: UUID = self.caller.tenant_id
        facts = mould_facts(view, flags.environment, flags.revision)
        return Answering(
            view=view,
            environment=flags.environment,
            revision=flags.revision,
            decision=decision,
            entry=EntryMould(tenant, self.model.name, process, decision, facts),
            reply=ReplyMould(self.model.name, decision, view.state),
            companion=Companion.of(self.live, self.model, self.release, decision, process),
        )
