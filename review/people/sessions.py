"""Signing in and out. A session is a random cookie of which only the hash is kept, with a CSRF token of its own."""

import asyncio
import secrets
from collections import OrderedDict
from uuid import UUID

import msgspec

from gateway import metrics
from gateway.access.keys import digest
from gateway.access.passwords import password_matches
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.times import SECOND_US, after_us
from review.actors import Actor
from review.people.errors import SignInRefused, TooManyAttempts
from review.store.people import (
    Session,
    add_session,
    default_tenant,
    drop_old_sessions,
    drop_session,
    find_person,
    find_session,
    password_of,
)

COOKIE = "lockgate_session"
FREE_ATTEMPTS = 5
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
REMEMBERED = 10_000


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh session: the cookie's value, which is kept nowhere, and the session."""

    cookie: str
    session: Session


class Attempts:
    """Slows guessing down: after five wrong passwords for an address, each further one doubles the wait."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def check(self, email: str, now_us: int) -> None:
        """Return if the address may be tried now. Raises: TooManyAttempts."""
        count, last_us = self._failed.get(email, (0, 0))
        left_s = wait_after(count) - (now_us - last_us) / SECOND_US
        if left_s > 0:
            raise TooManyAttempts(seconds=left_s)

    def failed(self, email: str, now_us: int) -> None:
        """Remember a wrong password."""
        count, _ = self._failed.pop(email, (0, 0))
        self._failed[email] = (count + 1, now_us)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)

    def succeeded(self, email: str) -> None:
        """Forget the address."""
        self._failed.pop(email, None)


def wait_after(failures: int) -> float:
    """Seconds to wait after this many wrong passwords in a row."""
    if failures < FREE_ATTEMPTS:
        return 0.0
    return min(FIRST_WAIT_S * 2.0 ** min(failures - FREE_ATTEMPTS, 30), LONGEST_WAIT_S)


async def sign_in(ledger: Ledger, attempts: Attempts, email: str, password: str, session_s: float) -> SignedIn:
    """A session for the person with this address and password. Raises: SignInRefused, TooManyAttempts."""
    email = email.strip().lower()
    async with ledger.reading() as r:
        now = await r.now_us()
        attempts.check(email, now)
        found = await password_of(r, email)
    person_id, kept = found or (None, None)
    if not await asyncio.to_thread(password_matches, password, kept) or person_id is None:
        attempts.failed(email, now)
        metrics.SIGN_INS.add("refused")
        raise SignInRefused
    attempts.succeeded(email)
    metrics.SIGN_INS.add("accepted")
    async with ledger.writing() as w:
        return await open_session(w, person_id, session_s)


async def open_session(w: WriteSession, person_id: UUID, session_s: float) -> SignedIn:
    """A fresh session of a person."""
    now = await w.now_us()
    await drop_old_sessions(w, now)
    cookie = secrets.token_urlsafe(32)
    session = Session(
        sha256=digest(cookie),
        person_id=person_id,
        csrf=secrets.token_urlsafe(24),
        expires_us=after_us(now, session_s),
    )
    await add_session(w, session)
    return SignedIn(cookie=cookie, session=session)


async def sign_out(w: WriteSession, cookie: str) -> None:
    """End a session."""
    await drop_session(w, digest(cookie))


async def session_of(r: ReadSession, cookie: str) -> Session | None:
    """The session of a cookie, while it lasts."""
    return await find_session(r, digest(cookie), await r.now_us())


async def actor_of_person(r: ReadSession, person_id: UUID, key_id: UUID | None = None) -> Actor | None:
    """The person as somebody who acts; None when disabled."""
    person = await find_person(r, person_id)
    if person is None or person.disabled_us is not None:
        return None
    return Actor(
        kind="person",
        id=person.id,
        name=person.name,
        email=person.email,
        tenant_id=await default_tenant(r),
        roles=frozenset((grant.role, grant.model_id) for grant in person.grants),
        key_id=key_id,
    )
