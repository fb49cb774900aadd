"""What can go wrong with people, their sessions, invitations and keys."""

from review.errors import ReviewError


class NotSignedIn(ReviewError):
    """Sign in, or send a key: 'Authorization: Bearer lg_…'."""

    status = 401
    code = "not-signed-in"


class PermissionNeeded(ReviewError):
    """This needs the permission '{permission}', which these roles give: {roles}. An admin gives roles, with
    'lockgate people grant ADDRESS ROLE' or in the console."""

    status = 403
    code = "permission-needed"


class PersonNeeded(ReviewError):
    """Only a person can do this; this key belongs to nobody."""

    status = 403
    code = "person-needed"


class ForeignOrigin(ReviewError):
    """This request came from another site's page, so it was not carried out."""

    status = 403
    code = "foreign-origin"


class StaleForm(ReviewError):
    """This page is out of date: load it again and repeat what you did."""

    status = 403
    code = "stale-form"


class SignInRefused(ReviewError):
    """Address and password do not belong together."""

    status = 401
    code = "sign-in-refused"


class TooManyAttempts(ReviewError):
    """Too many attempts to sign in; wait {seconds:.0f} s."""

    status = 429
    code = "too-many-attempts"

    def __init__(self, *, seconds: float) -> None:
        super().__init__(seconds=seconds)
        self.retry_after_s = seconds


class InvitationOver(ReviewError):
    """This link was used already or its time is over: ask for a new one."""

    status = 410
    code = "invitation-over"


class WrongAddress(ReviewError):
    """'{email}' is not an e-mail address."""

    status = 400
    code = "wrong-address"


class NameMissing(ReviewError):
    """A name is needed."""

    status = 400
    code = "name-missing"


class AddressTaken(ReviewError):
    """Somebody with the address {email} is here already."""

    status = 409
    code = "address-taken"


class NobodyThere(ReviewError):
    """There is nobody with the address {email} here."""

    status = 404
    code = "nobody-there"


class UnknownRole(ReviewError):
    """'{role}' is not a role: reviewer, lead, operator, auditor or admin."""

    status = 400
    code = "unknown-role"


class NoSuchModel(ReviewError):
    """There is no model named '{model}' here."""

    status = 404
    code = "no-such-model"


class LastAdmin(ReviewError):
    """{name} is the last admin: make somebody else an admin first."""

    status = 409
    code = "last-admin"


class NoSuchKey(ReviewError):
    """There is no such key here."""

    status = 404
    code = "no-such-key"
