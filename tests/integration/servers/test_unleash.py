"""Unleash as tests start it."""

from tests.servers.process import until
from tests.servers.unleash import Unleash


def test_a_killed_server_comes_back_with_its_flags_and_a_renewed_one_has_none(unleash: Unleash) -> None:
    """What an Unleash server keeps outlives a crash of it; the next test meets it running and empty."""
    unleash.admin.create("parent.automated")
    unleash.admin.create("child.automated")
    unleash.admin.depends("child.automated", "parent.automated")
    segment = unleash.admin.segment("ours", [{"contextName": "tenant", "operator": "IN", "values": ["ours"]}])
    unleash.admin.strategy("parent.automated", segments=[segment])
    unleash.admin.on("parent.automated")
    unleash.kill()
    unleash.start()
    until(lambda: unleash.flags() == {"parent.automated", "child.automated"}, "the flags of before")
    assert unleash.admin.events("parent.automated")[-1]["type"] == "feature-created"
    unleash.renew()
    assert not unleash.flags()
