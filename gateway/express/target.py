"""What plain requests of one key for one path are answered with, made once for a plan and used until it changes."""

from typing import Self
from uuid import UUID

import msgspec

from flags.answer import FlagView
from flags.context import RequestFacts
from flags.embedded import AdoptedFlags
from gateway.access.callers import caller_of
from gateway.decide import Question, decide
from gateway.decision import Asked, Decision
from gateway.errors import GatewayError
from gateway.express.judging import PlainJudge
from gateway.express.moulds import EntryMould, ReplyMould, mould_facts
from gateway.express.outputs import Heads
from gateway.express.reading import PlainReader, PlainRequest
from gateway.http.entry import INFER
from gateway.inference.batching import Batcher
from gateway.inference.session import INLINE_MAX_US
from gateway.plan import Caller, ModelPlan
from gateway.registry.live import LivePlan, LiveRelease

ASKED = Asked()
"""What a plain request asks for beside the answer: nothing."""
ANSWERINGS_MAX = 64


class Answering(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decision under one state of the flags, with its moulds."""

    view: FlagView
    environment: str
    revision: int
    decision: Decision
    entry: EntryMould
    reply: ReplyMould


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
        self.key_bytes = caller.key_id.bytes
        self.heads: Heads = {}
        self._tenant, self._caller = str(caller.tenant_id), str(caller.key_id)
        self._answerings: dict[tuple[FlagView, int], Answering | None] = {}
        self._last: Answering | None = None

    @classmethod
    def of(cls, live: LivePlan, authorization: str, path: str, now_us: int) -> Self | None:
        """The target of a key and a path; None where its requests are never plain, or are to be refused."""
        found = INFER.fullmatch(path)
        if found is None:
            return None
        try:
            caller = caller_of(authorization, live.plan, now_us)
            model = live.model(caller.tenant_id, found[1], found[2])
            release = live.live(model.champion)
        except GatewayError:
            return None
        card, runner = release.release.card, release.runner
        reader = PlainReader.of(release.session.signature, card.batch_axis, release.decoder.limits)
        judge = PlainJudge.of(card, release.release.policy)
        short = isinstance(runner, Batcher) and release.session.cost.of(1) <= INLINE_MAX_US
        if not short or reader is None or judge is None or not caller.may("predict", model.name) or card.beside:
            return None
        assert isinstance(runner, Batcher)
        return cls(live, caller, model, release, runner, reader, judge)

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
        )
