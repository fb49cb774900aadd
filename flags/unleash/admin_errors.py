"""What can go wrong when an Unleash server is asked to do something by its Admin API."""

from flags.errors import FlagsError


class UnleashAway(FlagsError):
    """Unleash cannot be reached at {url} ({why}); nothing was changed there as far as is known."""

    status = 502
    code = "unleash-away"


class UnleashSilent(FlagsError):
    """Unleash at {url} took the request and did not answer within {seconds:g} s; look there what became of it."""

    status = 504
    code = "unleash-silent"


class AdminTokenRefused(FlagsError):
    """Unleash at {url} refuses unleash_admin_token: it is wrong, or no admin token, or may not do this ({status})."""

    status = 502
    code = "unleash-admin-token-refused"


class UnleashRefused(FlagsError):
    """Unleash refused to {what}: {said}"""

    status = 409
    code = "unleash-refused"


class UnleashUnexpected(FlagsError):
    """Unleash at {url} answered something unexpected ({why}); see whether unleash_url is its address."""

    status = 502
    code = "unleash-unexpected"


class NoAdminToken(FlagsError):
    """Lockgate has no unleash_admin_token, so this is done in Unleash: {link}"""

    status = 409
    code = "no-unleash-admin-token"


class NoUnleash(FlagsError):
    """No Unleash server is named: set unleash_url."""

    status = 409
    code = "no-unleash"
