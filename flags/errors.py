"""What can go wrong with flags, as one tree.

A class's docstring is its message, with the fields of the instance in braces; `status` is the HTTP status, `code` is
stable and part of the public contract. Reading a flag never raises any of these: only loading and changing do.
"""

from typing import ClassVar


class FlagsError(Exception):
    """Something went wrong with the flags."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "flags"
    retry_after_s: float | None = None

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((type(self).__doc__ or "").split()).format(**fields))


class InvalidFlags(FlagsError):
    """The flags were not changed. {problems}"""

    status = 400
    code = "invalid-flags"


class NotAFeatureState(FlagsError):
    """This is not a feature state: {why}."""

    status = 400
    code = "not-a-feature-state"


class NotAModelFlag(FlagsError):
    """'{flag}' is not a flag of a model: write MODEL.automated, MODEL.shadow or MODEL.candidate."""

    status = 400
    code = "not-a-model-flag"


class SeveralStrategies(FlagsError):
    """Flag '{flag}' has {count} strategies, so it is not clear which one to change: set the whole flag as JSON."""

    status = 409
    code = "several-strategies"


class ReasonMissing(FlagsError):
    """Every change of a flag needs its author and a reason: {missing} is missing."""

    status = 400
    code = "reason-missing"


class UnknownFlag(FlagsError):
    """There is no flag named '{flag}'."""

    status = 404
    code = "unknown-flag"


class UnknownFlagState(FlagsError):
    """No feature state with the digest '{digest}' was ever in force here."""

    status = 404
    code = "unknown-flag-state"


class FlagsChanged(FlagsError):
    """The flags were changed meanwhile: version {current} is in force, not {expected}; read them again."""

    status = 409
    code = "flags-changed"


class FlagsElsewhere(FlagsError):
    """The flags of this installation are those of the Unleash server at {url}: change them there, not here."""

    status = 409
    code = "flags-elsewhere"
