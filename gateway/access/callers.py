"""Who calls: the key of a request, looked up in the live plan."""

from hashlib import sha256

from gateway.access.keys import bearer
from gateway.errors import Forbidden, Unauthenticated
from gateway.plan import Caller, Plan


def caller_of(authorization: str | None, plan: Plan, now_us: int) -> Caller:
    """The caller whose key this is. Raises: Unauthenticated."""
    key = bearer(authorization)
    caller = plan.callers.get(sha256(key.encode("utf-8", "surrogatepass")).digest()) if key else None
    if caller is None or (caller.expires_us is not None and caller.expires_us <= now_us):
        raise Unauthenticated
    return caller


def require(caller: Caller, verb: str, model: str) -> None:
    """Return if the caller's key has the scope. Raises: Forbidden."""
    if not caller.may(verb, model):
        raise Forbidden(scope=f"{verb}:{model}")
