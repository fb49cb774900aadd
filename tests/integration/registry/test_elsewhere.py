"""A gateway follows a release that runs on another server, whether or not that server is there."""

from gateway.inference.upstreams import AllowedUpstreams
from gateway.protocol.decode import Limits
from gateway.registry.adding import Adding
from gateway.registry.elsewhere import add_upstream
from gateway.registry.follower import Follower
from tests.integration.learning.elsewhere import elsewhere
from tests.integration.registry.scene import CARD, Scene


async def followed(scene: Scene, allowed: AllowedUpstreams) -> tuple[bool, list[str]]:
    """Whether a gateway that starts now serves the model, and how it says that its servers are."""
    follower = Follower(
        scene.ledger, scene.artifacts, scene.folder / "plan", limits=Limits(), threads=1, upstreams=allowed
    )
    await follower.start()
    [model] = follower.live.plan.models.values()
    found = follower.live.is_ready(model.champion), [session.state for session in follower.upstreams]
    await follower.close()
    return found


async def test_a_server_that_is_away_makes_no_gateway_unready(scene: Scene) -> None:
    """It starts without a word to the server; one whose server nobody allows any more is not ready, and says so."""
    async with elsewhere() as server:
        adding = Adding(tenant_id=scene.tenant_id, name="away", card=CARD, by="person:ada@example.org")
        await add_upstream(scene.ledger, adding, server.address, server.allowed)
        allowed = server.allowed
    assert await followed(scene, allowed) == (True, ["up"])
    assert await followed(scene, AllowedUpstreams()) == (False, [])
