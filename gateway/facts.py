"""What is read off a request and its answer: digests, the pinned release, and the entry of the traffic log. Pure."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from flags.answer import FlagAnswer, FlagView
from flags.context import RequestFacts
from gateway.context import Told, kept_fields, sticky_key, unread_fields
from gateway.decision import SettledItem, public_rule
from gateway.errors import BadRequest
from gateway.holding.held import HeldPrediction
from gateway.labels import Answer
from gateway.protocol.binary import to_bytes
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.decode import InferenceRequest
from gateway.record.entries import ContextField, Decided, FlagFact, FlagFacts, ItemFacts, Number
from gateway.stages import Stages

CLASS_MAX_CHARACTERS = 200
PINNED = "release"
"""The request parameter that pins a release, such as 7 or "sentiment@7"."""


class PinRefused(BadRequest):
    """The parameter 'release' must be a release's number or name, such as 7 or '{model}@7'."""

    code = "pin-refused"


def pinned_release(request: InferenceRequest, model: str) -> int | None:
    """The number of the release that the caller pins, if any. Raises: PinRefused."""
    value = request.parameters.get(PINNED)
    if value is None:
        return None
    number = str(value).removeprefix(f"{model}@")
    if isinstance(value, bool | float) or not number.isdecimal() or len(number) > 9:
        raise PinRefused(model=model)
    return int(number)


def input_digest(request: InferenceRequest) -> str:
    """The SHA-256 of everything that was sent as tensors, whatever JSON it came in."""
    return tensors_digest(request.feeds | request.display)


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """The SHA-256 of named tensors: names in order, datatypes, shapes and elements."""
    digest = sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}\0{datatype_of(tensor)}\0{tensor.shape}\0".encode())
        digest.update(to_bytes(tensor))
    return digest.hexdigest()


def entry_of(prediction: HeldPrediction, flags: FlagView, at: Stages, process: str) -> Decided:
    """The prediction's entry in the traffic log, without its tensors."""
    decision, settled = prediction.decision, prediction.settled
    return Decided(
        at_us=prediction.decided_us,
        process=process,
        prediction=prediction.id,
        tenant=prediction.caller.tenant_id,
        model=prediction.model.name,
        release=decision.release.name,
        path=settled.path,
        decided_path=decision.path,
        rule=settled.rule,
        decided_rule=decision.rule,
        public_rule=public_rule(settled.rule),
        api_key=prediction.caller.key_id,
        input_digest=prediction.input_digest,
        output_digest=tensors_digest(prediction.outputs),
        shadow_release=decision.shadow_release.name if decision.shadow_release else None,
        request_id=prediction.asked.request_id,
        asked=prediction.asked.review,
        flags=flag_facts(
            flags,
            prediction.told,
            environment=prediction.environment,
            revision=prediction.flag_revision,
            at_us=prediction.decided_us,
        ),
        items=tuple(item_facts(item) for item in settled.items),
        stages=at.times(),
    )


def facts_of(entry: Decided) -> RequestFacts:
    """What the flags were asked with, from the entry alone: with the state of its digest they answer the same again.

    The entry must be whole; the head of a folded one keeps no context.
    """
    kept = {field.name: field.value for field in entry.flags.context}
    kept.setdefault(entry.flags.sticky_field or "sessionId", entry.flags.stickiness)
    return RequestFacts(
        model=entry.model,
        tenant=str(entry.tenant),
        caller=str(entry.api_key),
        sticky_key=entry.input_digest,
        now_us=entry.flags.evaluated_us,
        environment=entry.flags.environment,
        user_id=kept.pop("userId", None) or None,
        session_id=kept.pop("sessionId", None) or None,
        remote_address=kept.pop("remoteAddress", None),
        properties=kept,
    )


def lacking(entry: Decided, fields: Iterable[str]) -> tuple[str, ...]:
    """Of the fields that a definition reads, those that the caller had told and the entry does not have."""
    gone = set(entry.flags.unread) - {entry.flags.sticky_field}
    return tuple(name for name in fields if name in gone)


def flag_facts(flags: FlagView, told: Told, *, environment: str, revision: int, at_us: int) -> FlagFacts:
    """What an entry says of the flags: all that is needed to ask them again."""
    named = (("automated", flags.automated), ("shadow", flags.shadow), ("candidate", flags.candidate))
    stickiness, sticky_field = sticky_key(told)
    return FlagFacts(
        state=flags.state,
        evaluated_us=at_us,
        stickiness=stickiness,
        context=tuple(ContextField(*field) for field in kept_fields(told, flags.fields)),
        answers=tuple(_flag_fact(name, answer) for name, answer in named),
        sticky_field=sticky_field,
        environment=environment,
        revision=revision,
        unread=unread_fields(told, flags.fields),
    )


def _flag_fact(name: str, answer: FlagAnswer) -> FlagFact:
    return FlagFact(name=name, enabled=answer.enabled, reason=str(answer.reason), variant=answer.variant)


def short(answer: Answer | None) -> Answer | None:
    """The answer where it can be a class or a number; a long text would make the entry too large."""
    return None if isinstance(answer, str) and len(answer) > CLASS_MAX_CHARACTERS else answer


def item_facts(item: SettledItem) -> ItemFacts:
    """What an entry says of a settled item."""
    numbers = [(name, value) for name, value in item.evidence.items() if isinstance(value, int | float)]
    return ItemFacts(
        score=item.score,
        held=item.held,
        rule=item.rule,
        audited=item.audited,
        audit_probability=item.audit_probability,
        audit_draw=None if item.held else item.audit_draw,
        evidence=tuple(Number(name, float(value)) for name, value in numbers),
        answer=short(item.answer),
        unfit=item.unfit,
    )
