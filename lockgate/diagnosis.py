"""What `lockgate doctor` looks at: each check says how a part is and, where it is not well, what to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import httpx

from flags.engine import load
from flags.errors import FlagsError
from flags.unleash.fetched import fetched_state
from flags.unleash.server import TIMEOUT_S, refused, silent, unreachable, unreadable
from gateway.errors import GatewayError
from gateway.inference.cache import SessionCache
from gateway.inference.errors import ProviderAbsent, ProviderUnusable
from gateway.inference.upstreams import Upstream
from gateway.plan import Plan, ReleasePlan
from gateway.record.payloads import LocalObjects, open_objects
from gateway.record.reserve import free_bytes
from gateway.store.engines import file_system_of
from gateway.store.fetched_flags import fetched_flags
from gateway.store.flags import current_state
from gateway.store.keys import live_callers
from gateway.store.ledger import Ledger
from gateway.store.migrate import check
from gateway.store.serving import read_plan
from gateway.times import SECOND_US, after_us, now_us
from lockgate.errors import CommandError
from lockgate.findings import Finding, bad, ok, warn
from lockgate.machine_check import check_machine, check_sessions, machine_here
from lockgate.processes.allowed import allowed_upstreams
from lockgate.processes.tls import grpc_tls
from lockgate.settings import Settings
from review.people.joining import has_admin

SKEW_WARN_S = 0.5
SKEW_BAD_S = 5.0
EXPIRY_WARN_S = 7 * 86_400.0
REDIS_S = 2.0
MIB = 1 << 20
UNTIL_THEN = "Until then gateways go on with the last flags they know, up to the policy's stale_after_s."


async def diagnose(settings: Settings) -> AsyncIterator[Finding]:
    """A finding for each part. A ledger that cannot be used ends the checks that need it."""
    yield check_disk(settings)
    yield check_objects(settings)
    yield check_grpc(settings)
    yield check_machine(settings)
    yield await check_redis(settings)
    if not settings.flag_home.embedded:
        yield await check_unleash(settings)
    yield await check_server(settings)
    try:
        await check(settings.ledger_url)
    except GatewayError as error:
        yield bad("ledger", str(error), "Type 'lockgate migrate', or put database_url right.")
        return
    except OSError as error:
        yield bad(
            "ledger", f"It cannot be reached: {type(error).__name__}.", "Start the database, or see database_url."
        )
        return
    ledger = Ledger.open(settings.ledger_url, flags=settings.flag_home)
    try:
        for examine in CHECKS:
            for finding in await examine(settings, ledger):
                yield finding
    finally:
        await ledger.close()


def check_disk(settings: Settings) -> Finding:
    """Whether the data directory can be written and its disk is above the reserve."""
    folder = settings.data_directory.absolute()
    present = next(place for place in (folder, *folder.parents) if place.exists())
    free, reserve = free_bytes(present), settings.disk_reserve_bytes
    says = f"{free // MIB} MiB free at {folder}, reserve {reserve // MIB} MiB ({file_system_of(present) or 'unknown'})."
    if free < reserve:
        return bad("disk", says, "Make room: below the reserve requests are refused or go unrecorded.")
    if free < 4 * reserve:
        return warn("disk", says, "Make room soon.")
    return ok("disk", says)


def check_objects(settings: Settings) -> Finding:
    """Whether payloads can be kept."""
    try:
        open_objects(settings.payloads_url)
    except GatewayError as error:
        return bad("objects", str(error), "Put objects_url right.")
    return ok("objects", settings.payloads_url)


def check_grpc(settings: Settings) -> Finding:
    """Whether gRPC can be spoken, and whether keys travel in the clear to other machines."""
    address = settings.grpc_address
    if not address:
        return ok("grpc", "Nobody listens for it.")
    try:
        encrypted = grpc_tls(settings) is not None
    except CommandError as error:
        return bad("grpc", str(error), "Put grpc_certificate and grpc_private_key right.")
    if not encrypted and not address.startswith(("127.", "localhost:", "[::1]:")):
        return warn("grpc", f"{address} speaks no TLS.", "Set grpc_certificate, or let a proxy before it speak TLS.")
    return ok("grpc", f"{address}, {'with' if encrypted else 'without'} TLS.")


async def check_redis(settings: Settings) -> Finding:
    """Whether wake-ups between machines arrive."""
    if not settings.redis_url:
        return ok("redis", "Not used." if settings.embedded else "Not used: other processes are woken within a second.")
    from gateway.store.bell_redis import RedisBell

    bell = RedisBell(settings.redis_url)
    await bell.start()
    try:
        if await bell.connected(REDIS_S):
            return ok("redis", "It answers.")
        return warn("redis", "It does not answer.", "Start it: until then wake-ups are polled, up to a second late.")
    finally:
        await bell.close()


async def check_unleash(settings: Settings) -> Finding:
    """Whether the Unleash server gives this token its flags."""
    url = f"{settings.flag_home.url}/api/client/features"
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            answer = await client.get(url, headers={"Authorization": settings.unleash_token})
        if answer.status_code != httpx.codes.OK:
            return bad("unleash", refused(answer.status_code).said, "Put unleash_token and unleash_url right.")
        state = fetched_state(answer.content)
    except httpx.TimeoutException:
        return warn("unleash", silent(TIMEOUT_S).said, f"Look at {settings.flag_home.url}. {UNTIL_THEN}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return warn("unleash", unreachable(type(error).__name__).said, f"Start it, or see unleash_url. {UNTIL_THEN}")
    except FlagsError as error:
        return bad("unleash", unreadable(str(error)).said, "Put unleash_url right.")
    return ok("unleash", f"It answers with revision {state.version} ({settings.flag_home.url}).")


async def check_server(settings: Settings) -> Finding:
    """Whether a Lockgate runs here, and how it is."""
    try:
        async with httpx.AsyncClient(timeout=3.0, trust_env=False) as client:
            health = (await client.get(f"http://{settings.metrics_address}/health")).json()
    except (httpx.HTTPError, ValueError):
        return ok("server", f"None answers at {settings.metrics_address}.")
    if health.get("state") == "ok":
        return ok("server", f"It runs and is well ({settings.metrics_address}).")
    return warn("server", "It runs, and a part of it is not well.", f"See http://{settings.metrics_address}/health.")


async def check_clock(_settings: Settings, ledger: Ledger) -> Sequence[Finding]:
    """How far this machine's clock is from the database's."""
    async with ledger.reading() as r:
        before = now_us()
        theirs = await r.now_us()
        skew_s = abs(theirs - (before + now_us()) / 2) / SECOND_US
    says = f"{skew_s * 1000:.0f} ms from the database's."
    if skew_s > SKEW_BAD_S:
        return [bad("clock", says, "Set the clock (NTP): leases and deadlines would be wrong.")]
    return [warn("clock", says, "Keep the clock in step (NTP).") if skew_s > SKEW_WARN_S else ok("clock", says)]


async def check_models(settings: Settings, ledger: Ledger) -> Sequence[Finding]:
    """Whether each release that may serve can be loaded, its digest included."""
    async with ledger.reading() as r:
        plan = await read_plan(r)
    if not plan.models:
        return [warn("models", "None yet.", "Type 'lockgate models add NAME FILE.onnx --card model.toml'.")]
    cache = SessionCache(upstreams=allowed_upstreams(settings), machine=machine_here(settings))
    artifacts = LocalObjects(settings.artifacts)
    releases = [await _check_release(release, cache, artifacts) for release in _releases(plan)]
    return [*releases, check_sessions(settings, plan)]


async def check_flags(_settings: Settings, ledger: Ledger) -> Sequence[Finding]:
    """Whether the flags in force can be evaluated, and how old they are where a server has them."""
    async with ledger.reading() as r:
        state, fetched = await current_state(r), None if ledger.flags.embedded else await fetched_flags(r)
    where = "with 'lockgate flags set'" if ledger.flags.embedded else f"at {ledger.flags.url}"
    try:
        engine = await asyncio.to_thread(load, state.body)
    except FlagsError as error:
        return [bad("flags", str(error), f"Set the flags again {where}; until then all are off.")]
    if engine.warning:
        return [warn("flags", engine.warning, f"Such a flag is off; change it {where}.")]
    says = f"Version {state.version}, state {state.digest[:12]}."
    if ledger.flags.embedded:
        return [ok("flags", says)]
    if fetched is None or fetched.known_us is None:
        return [warn("flags", "No gateway has fetched any yet: all are off.", "Start a gateway; see 'unleash' above.")]
    says += f" A gateway last heard that they are the latest {(now_us() - fetched.known_us) // SECOND_US} s ago."
    return [warn("flags", f"{says} {fetched.error}", UNTIL_THEN) if fetched.error else ok("flags", says)]


async def check_keys(_settings: Settings, ledger: Ledger) -> Sequence[Finding]:
    """Whether somebody may call, and whether a key is about to expire."""
    async with ledger.reading() as r:
        now = await r.now_us()
        callers = list((await live_callers(r, now)).values())
    soon = [one for one in callers if one.expires_us is not None and one.expires_us < after_us(now, EXPIRY_WARN_S)]
    if not any(one.person_id is None for one in callers):
        return [warn("keys", "No service has one.", "Type 'lockgate keys add NAME --scope predict:MODEL'.")]
    names = ", ".join(sorted(one.key_name for one in soon))
    if soon:
        return [warn("keys", f"These end within a week: {names}.", "Type 'lockgate keys rotate ID'.")]
    return [ok("keys", f"{len(callers)} work.")]


async def check_people(_settings: Settings, ledger: Ledger) -> Sequence[Finding]:
    """Whether somebody can administer."""
    if await has_admin(ledger):
        return [ok("people", "There is an admin.")]
    return [warn("people", "There is no admin.", "Type 'lockgate people link admin' and open the link.")]


async def _check_release(release: ReleasePlan, cache: SessionCache, artifacts: LocalObjects) -> Finding:
    part = f"model {release.name}"
    if release.upstream is not None:
        return await _check_upstream(part, release.upstream, cache)
    try:
        await artifacts.verify(release.artifact)
        session = await cache.acquire(
            release.artifact, await artifacts.local_path(release.artifact), release.card.session
        )
    except (ProviderAbsent, ProviderUnusable) as error:
        return bad(part, str(error), "Put the machine right, or roll the model back.")
    except GatewayError as error:
        return bad(part, str(error), "Restore the artifact from a backup, or roll the model back.")
    return ok(part, f"Its file is whole and loads, by {session.provider}.")


async def _check_upstream(part: str, upstream: Upstream, cache: SessionCache) -> Finding:
    try:
        session = await cache.acquire_upstream(upstream)
    except GatewayError as error:
        return bad(part, str(error), "Name its server in upstreams, or roll the model back.")
    try:
        await session.tell()
    except GatewayError as error:
        return bad(part, f"{upstream.address}: {error}", "Start its server, or roll the model back.")
    finally:
        await session.end()
    return ok(part, f"{upstream.address} answers.")


def _releases(plan: Plan) -> list[ReleasePlan]:
    found: dict[str, ReleasePlan] = {}
    for model in plan.models.values():
        trial = model.trial.candidate if model.trial is not None else None
        found |= {one.name: one for one in (model.champion, model.previous, trial) if one is not None}
    return [found[name] for name in sorted(found)]


Check = Callable[[Settings, Ledger], Awaitable[Sequence[Finding]]]
CHECKS: tuple[Check, ...] = (check_clock, check_models, check_flags, check_keys, check_people)
