"""What can go wrong where releases are made, promoted and rolled back."""

from review.errors import ReviewError


class NoSuchRelease(ReviewError):
    """Model '{model}' has no release {release}."""

    status = 404
    code = "no-such-release"


class PromoteRefused(ReviewError):
    """{release} cannot be promoted. {reasons}"""

    status = 409
    code = "promote-refused"


class AlreadyServes(ReviewError):
    """{release} serves already."""

    status = 409
    code = "already-serves"


class NothingToRollBackTo(ReviewError):
    """No other release of '{model}' has served that was not withdrawn; halt the model if it must not answer."""

    status = 409
    code = "nothing-to-roll-back-to"


class CannotRollBackTo(ReviewError):
    """{release} {fault}, so '{model}' cannot be rolled back to it; {good}."""

    status = 409
    code = "cannot-roll-back-to"


class NoSuchVersion(ReviewError):
    """Model '{model}' has no version {version}."""

    status = 404
    code = "no-such-version"


class ReleaseRefused(ReviewError):
    """A release brings its own policy, labels and guideline, and this card differs from that of version {version} in
    {places}, too: add the model file again with it, as a new version."""

    status = 400
    code = "release-refused"


class NothingNew(ReviewError):
    """Nothing in this card differs from {release}, which serves."""

    status = 409
    code = "nothing-new"


class NothingServedThen(ReviewError):
    """Nothing served model '{model}' at {at} yet."""

    status = 404
    code = "nothing-served-then"


class NoTermsToConfirm(ReviewError):
    """Nobody has asked for other terms of the gate of '{model}' since they were declared last, so there is nothing to
    confirm."""

    status = 409
    code = "no-terms-to-confirm"


class OwnTerms(ReviewError):
    """You asked for these terms yourself, and '{model}' asks for four eyes: somebody else must confirm them."""

    status = 403
    code = "own-terms"


class NothingToConfirm(ReviewError):
    """Nobody has asked for {release} to be promoted beside what serves now, so there is nothing to confirm."""

    status = 409
    code = "nothing-to-confirm"


class SecondPersonNeeded(ReviewError):
    """You asked for {release} yourself, and the model asks for four eyes: somebody else must confirm it."""

    status = 403
    code = "second-person-needed"


class TrialRefused(ReviewError):
    """{release} cannot be tried. {reasons}"""

    status = 409
    code = "trial-refused"


class TrialOpen(ReviewError):
    """{release} is on trial already; close that trial first."""

    status = 409
    code = "trial-open"


class NoTrial(ReviewError):
    """No trial of '{model}' is open."""

    status = 409
    code = "no-trial"


class WatchesNothing(ReviewError):
    """A guard that watches nothing is none: give a limit for errors, reversals, latency or refusals, or clear it."""

    status = 400
    code = "watches-nothing"


class QuantileUnknowable(ReviewError):
    """{sample} answers are too few for an interval of their {quantile} quantile: ask for more answers."""

    status = 400
    code = "quantile-unknowable"


class NoTermsDeclared(ReviewError):
    """The gate asks of '{model}' what it asks of every model, so there is nothing to clear."""

    status = 409
    code = "no-terms-declared"


class NothingDeclared(ReviewError):
    """Nothing is watched on '{model}', so there is nothing to clear."""

    status = 409
    code = "nothing-declared"
