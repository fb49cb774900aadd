"""What can go wrong with a rollout."""

from review.errors import ReviewError


class ScheduleRefused(ReviewError):
    """{fault} A step is written as in '10% 24h, 1000 requests, 20 verdicts, approval'."""

    status = 400
    code = "schedule-refused"


class NoRollout(ReviewError):
    """No rollout of '{flag}' is under way."""

    status = 404
    code = "no-rollout"


class RolloutUnderWay(ReviewError):
    """A rollout of '{flag}' is under way already; abort it first."""

    status = 409
    code = "rollout-under-way"


class RolloutChanged(ReviewError):
    """Somebody, or the worker, has moved this rollout meanwhile; look at it again."""

    status = 409
    code = "rollout-changed"


class RolloutCannot(ReviewError):
    """This cannot be done to the rollout of '{flag}' now: {why}"""

    status = 409
    code = "rollout-cannot"


class ApprovedByAnother(ReviewError):
    """You started this rollout yourself, and the model asks for four eyes: somebody else must approve its steps."""

    status = 403
    code = "approved-by-another"
