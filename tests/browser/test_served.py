"""The console as `lockgate serve` serves it: passed on by a gateway, under one address with everything else."""

from playwright.sync_api import Page, expect

from tests.servers.lockgate import ADMIN, Lockgate


def test_the_console_stands_behind_the_gateways_address(lockgate: Lockgate, page: Page) -> None:
    """Signing in, an empty list of models, giving oneself a role, and a lane that waits: all through the one port."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{lockgate.url}/console/")
    page.get_by_label("E-mail address").fill(ADMIN["email"])
    page.get_by_label("Password").fill(ADMIN["password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
    page.get_by_role("link", name="People").click()
    page.get_by_label(f"A role for {ADMIN['name']}").select_option("reviewer")
    page.get_by_role("button", name="Give").click()
    page.get_by_role("link", name="Lane").click()
    expect(page.locator("#help")).to_be_visible()
    with page.expect_response("**/console/lane/watch") as watched:
        expect(page.locator("#empty")).to_be_visible()
    assert watched.value.ok
    assert complaints == []
