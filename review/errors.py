"""What can go wrong where people work, as one tree of the same shape as `gateway.errors`.

A class's docstring is its message, with the fields of the instance in braces; `status` is the HTTP status, `code` is
stable and part of the public contract (docs/errors.md).
"""

from typing import ClassVar


class ReviewError(Exception):
    """Something went wrong at the desk."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retry_after_s: float | None = None

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((type(self).__doc__ or "").split()).format(**fields))


class UnknownCase(ReviewError):
    """There is no case with this id here."""

    status = 404
    code = "unknown-case"


class UnknownClaim(ReviewError):
    """There is no claim of yours with this id."""

    status = 404
    code = "unknown-claim"


class UnknownQueue(ReviewError):
    """There is no queue named '{queue}' here."""

    status = 404
    code = "unknown-queue"


class UnknownPerson(ReviewError):
    """There is no person with this id here."""

    status = 404
    code = "unknown-person"


class NoDraft(ReviewError):
    """You have no draft for this case."""

    status = 404
    code = "no-draft"


class NotAllowed(ReviewError):
    """This needs the role '{role}' for this model."""

    status = 403
    code = "role-needed"


class NotAPerson(ReviewError):
    """Only a person can do this; this key belongs to nobody."""

    status = 403
    code = "not-a-person"


class NotAMember(ReviewError):
    """You are not a member of the queue '{queue}'."""

    status = 403
    code = "not-a-member"


class OwnTraffic(ReviewError):
    """This case came from a key of yours, and its model asks for four eyes: somebody else must judge it."""

    status = 403
    code = "own-traffic"


class WrongState(ReviewError):
    """This case is {state}; a person cannot {action} it now."""

    status = 409
    code = "wrong-state"


class StaleCase(ReviewError):
    """The case has changed meanwhile; read it again."""

    status = 409
    code = "stale-case"


class NoFreeSlot(ReviewError):
    """Everybody who may judge this case in this round has it already or has judged it."""

    status = 409
    code = "no-free-slot"


class AlreadyJudged(ReviewError):
    """You have judged this case in this round already."""

    status = 409
    code = "already-judged"


class ClaimLost(ReviewError):
    """Your claim on this case had ended, so your verdict was not counted; it is kept as a draft."""

    status = 409
    code = "claim-lost"


class ClaimEnded(ReviewError):
    """Your claim on this case has ended."""

    status = 409
    code = "claim-ended"


class EarlierJudge(ReviewError):
    """You have judged this case before; another lead must decide it."""

    status = 403
    code = "earlier-judge"


class TooLateToUndo(ReviewError):
    """A verdict can be undone by its author within {seconds:g} s or before its release; after that by a lead."""

    status = 409
    code = "too-late-to-undo"


class PostKeyReused(ReviewError):
    """This post_key was sent with another verdict already; use a new one for each verdict."""

    status = 422
    code = "post-key-reused"


class VerdictRefused(ReviewError):
    """The verdict is not right: {fault}"""

    status = 400
    code = "verdict-refused"


class ReasonMissing(ReviewError):
    """A reason is needed: say why in a few words."""

    status = 400
    code = "reason-missing"


class QueueRefused(ReviewError):
    """The queue's rules are not right: {fault}"""

    status = 400
    code = "queue-refused"


class LegalHold(ReviewError):
    """What this case is about is under a legal hold and cannot be erased."""

    status = 409
    code = "legal-hold"
