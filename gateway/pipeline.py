"""The hot path: one request in, one answer or one hold out. `Pipeline.handle` is the whole of it, on one screen.

Nothing here asks a database, Redis or a flag server: what an automated answer needs is in the live plan. Only a request
with an Idempotency-Key costs a ledger insert before it is decided, and a hold its commit after.
"""

from random import Random

import msgspec

from flags.answer import FlagView
from flags.context import RequestFacts
from gateway.call import Call
from gateway.capture import Capture
from gateway.context import Told
from gateway.context_header import context_pairs
from gateway.decide import Question, decide
from gateway.decision import Asked, Decision
from gateway.errors import GatewayError, UnknownVersion
from gateway.facts import input_digest, pinned_release
from gateway.holding.asked import asked_from
from gateway.holding.held import HeldPrediction
from gateway.holding.holds import Holds
from gateway.holding.idempotency import IdempotencyKeys
from gateway.ids import new_id
from gateway.inference.beside import Beside
from gateway.inference.errors import TooManyWait
from gateway.inference.shadow import ShadowRunner
from gateway.large import beside_if_large
from gateway.leaving import unless_left
from gateway.metrics import PAYLOADS_IGNORED, PREDICTIONS
from gateway.once import once
from gateway.plan import Caller, ModelPlan
from gateway.policy import Policy
from gateway.protocol.datatypes import Tensor
from gateway.protocol.decode import InferenceRequest
from gateway.registry.follower import Follower
from gateway.registry.live import LivePlan, LiveRelease
from gateway.reply import Reply
from gateway.settle import Run, settle
from gateway.stages import Stages
from gateway.statistics import STATISTICS
from gateway.tell import tell_at_once


class Pipeline:
    """Answers the prediction requests of one process."""

    def __init__(
        self,
        follower: Follower,
        holds: Holds,
        keys: IdempotencyKeys,
        capture: Capture,
        shadow: ShadowRunner,
        random: Random,
    ) -> None:
        self._follower = follower
        self._holds = holds
        self._keys = keys
        self._capture = capture
        self._shadow = shadow
        self._random = random

    async def handle(self, call: Call) -> Reply:
        """The answer to a request. Raises: GatewayError."""
        at = Stages()
        with self._follower.live.in_use() as live:
            model = live.model(call.caller.tenant_id, call.model)
            with STATISTICS.request(model, at) as counted:
                request = call.read(live.live(model.champion).decoder)
                asked = _asked(call, request)
                async with once(self._keys, self._holds, call, asked) as only:
                    if only.reply is not None:
                        return only.reply
                    prediction = await self._predict(call, live, model, request, asked, at)
                    counted.settled(prediction)
                    if prediction.settled.held:
                        return await unless_left(self._holds.hold(prediction, only.claimed), call.left)
                    return await only.told(tell_at_once(prediction))

    def refuse_early(self, caller: Caller, model: str) -> None:
        """Return unless too many wait for the model already; asked before a body is read. Raises: TooManyWait."""
        live = self._follower.live
        found = live.plan.model(caller.tenant_id, model)
        if found is not None and live.is_ready(found.champion):
            live.live(found.champion).runner.refuse_early(caller.key_id)

    async def _predict(
        self, call: Call, live: LivePlan, model: ModelPlan, request: InferenceRequest, asked: Asked, at: Stages
    ) -> HeldPrediction:
        """Decide, infer, settle, record, and offer the trial's other release its run."""
        digest = await beside_if_large(request.feeds, input_digest, request)
        at.after("decode")
        told = live.live(model.champion).context.read(context_pairs(asked.context), request.parameters)
        flags, revision = self._flags(call, told, digest, at), self._follower.flags.revision
        at.after("flags")
        decision = self._decide(call, model, flags, asked, digest, at)
        at.after("decide")
        answering = live.live(decision.release)
        try:
            outputs = await self._outputs(call, answering, request, asked)
        except TooManyWait:
            raise
        except GatewayError as error:
            await self._capture.refuse(call, decision, error, at)
            raise
        at.after("run")
        settled = settle(decision, self._run(call, model, decision, request, outputs))
        at.after("settle")
        prediction = HeldPrediction(
            id=new_id(),
            caller=call.caller,
            model=model,
            decision=decision,
            settled=settled,
            asked=asked,
            flag_state=flags.state,
            facts=request.parameters,
            input_digest=digest,
            inputs=request.feeds,
            beside=request.display,
            outputs=outputs,
            signature=answering.session.signature,
            decided_us=at.us,
            requested=tuple(output.name for output in request.outputs),
            told=told,
            environment=self._follower.flags.environment,
            flag_revision=revision,
        )
        draw = call.begun.capture_draw
        position = await self._capture.record(prediction, flags, at, self._random.random() if draw is None else draw)
        _count(prediction)
        self._shadow.offer(Beside(live=live, prediction=prediction, flags=flags, at=at))
        return msgspec.structs.replace(prediction, log_position=position)

    async def _outputs(
        self, call: Call, answering: LiveRelease, request: InferenceRequest, asked: Asked
    ) -> dict[str, Tensor]:
        """What the release says, unless it has said it to this request already. Raises: GatewayError."""
        if call.begun.release == answering.release.id:
            return call.begun.outputs
        return await answering.runner.infer(
            request.feeds, items=request.items, caller=call.caller.key_id, within_s=asked.within_s
        )

    def _flags(self, call: Call, told: Told, digest: str, at: Stages) -> FlagView:
        """The model's three flags for this request."""
        facts = RequestFacts(
            model=call.model,
            tenant=str(call.caller.tenant_id),
            caller=str(call.caller.key_id),
            sticky_key=digest,
            now_us=at.us,
            environment=self._follower.flags.environment,
            user_id=told.user_id,
            session_id=told.session_id,
            remote_address=told.remote_address,
            properties=told.properties,
        )
        return self._follower.flags.view(facts)

    def _decide(self, call: Call, model: ModelPlan, flags: FlagView, asked: Asked, digest: str, at: Stages) -> Decision:
        """The decision, for a version that the caller may have named in the path. Raises: UnknownVersion."""
        question = Question(
            model=model,
            flags=flags,
            flags_age_s=self._follower.flags.age_s(at.us),
            asked=asked,
            may_pin=call.caller.may("pin", model.name),
            input_digest=digest,
            now_us=at.us,
        )
        decision = decide(question)
        if call.version not in (None, str(decision.release.version)):
            raise UnknownVersion(model=model.name, version=call.version)
        return decision

    def _run(
        self,
        call: Call,
        model: ModelPlan,
        decision: Decision,
        request: InferenceRequest,
        outputs: dict[str, Tensor],
    ) -> Run:
        """What settle needs to know: the tensors, the draws, and how full the queue is."""
        held, policy = self._holds.open_count(model.id), decision.policy
        waiting = self._holds.waiting_count(model.id)
        return Run(
            inputs=request.feeds,
            outputs=outputs,
            items=request.items,
            draws=call.begun.draws or [self._random.random() for _ in range(request.items)],
            pressed=pressed(model, policy, held),
            full=held >= policy.max_open_holds or waiting >= policy.max_waiting_callers,
        )


def pressed(model: ModelPlan, policy: Policy, held: int) -> bool:
    """Whether the queue is so full, with so many open holds, that fewer answers are audited."""
    capacity = model.queue.capacity
    return capacity is not None and held >= capacity * policy.pressure_at


def _asked(call: Call, request: InferenceRequest) -> Asked:
    pinned = pinned_release(request, call.model)
    asked = asked_from(
        call.headers, request.parameters, pinned=pinned, request_id=request.id, deadline_s=call.deadline_s
    )
    return msgspec.structs.replace(asked, binary=request.binary) if request.binary else asked


def _count(prediction: HeldPrediction) -> None:
    decision, settled = prediction.decision, prediction.settled
    PREDICTIONS.add(prediction.model.name, decision.release.name, settled.path, settled.rule)
    if decision.payload == "ignored":
        PAYLOADS_IGNORED.add(prediction.model.name)
