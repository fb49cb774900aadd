"""`lockgate promote` and `lockgate gate`: make a release serve, if the gate says so."""

import time

import click

from lockgate.commands.moves import RELEASE, GateLine, PromotionLine, confirm, print_moved
from lockgate.commands.remote import Call, remote
from lockgate.output import note, say

LOOK_S = 5.0
"""How often `gate --wait` looks."""
UNITS = {"s": 1, "m": 60, "h": 3600}
Release = tuple[str, int]


class Length(click.ParamType[float]):
    """A length of time such as 90s, 30m or 2h, in seconds."""

    name = "length"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> float:
        """The seconds."""
        if isinstance(value, float):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in UNITS or not number.isdecimal():
            self.fail(f"'{value}' is no length of time; write it like 90s, 30m or 2h.", param, context)
        return float(int(number) * UNITS[unit])


@click.command()
@click.argument("release", type=RELEASE)
@click.option("--wait", "wait_s", type=Length(), default=0.0, help="Look again until it is not Wait, for so long.")
@remote
def gate(call: Call, release: Release, wait_s: float) -> None:
    """Say whether RELEASE, such as sentiment@7, may serve: promote, wait or refuse, with every reason.

    The exit code is 0 when it may, else 1.
    """
    until = time.monotonic() + wait_s
    answer = call.server.get(f"{_path(release)}/gate")
    while answer.read(GateLine).verdict == "wait" and time.monotonic() < until:
        time.sleep(min(LOOK_S, max(0.0, until - time.monotonic())))
        answer = call.server.get(f"{_path(release)}/gate")
    call.show(answer, GateLine, lambda report: report.print(say))
    click.get_current_context().exit(0 if answer.read(GateLine).verdict == "promote" else 1)


@click.command()
@click.argument("release", type=RELEASE)
@click.option("--force", is_flag=True, help="Override the gate; never a digest or admission.")
@click.option("--confirm", "confirms", is_flag=True, help="Confirm, as a second person, what another one asked for.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", required=True, help="The reason; it is kept with who and when.")
@remote
def promote(call: Call, release: Release, why: str, *, force: bool, confirms: bool, yes: bool) -> None:
    """Make RELEASE, such as sentiment@7, serve its model, if the gate says so.

    It first says what will change. Where the model has four eyes, it then waits for a second person's --confirm.
    """
    path = f"{_path(release)}/promotion"
    told = call.server.post(path, {}, preview=1).read(PromotionLine)
    told.preview.print("Promote")
    told.gate.print(note)
    note(told.guard)
    if confirms and told.request is not None:
        note(f"{told.request.by} asked for it{', by force' if told.request.force else ''}: {told.request.why}")
    confirm(f"Promote {told.preview.release}?", ask=not yes)
    body = {"why": why, "force": force, "confirm": confirms, "expected_revision": told.preview.revision}
    call.show(call.server.post(path, body), PromotionLine, _print_done)


def _path(release: Release) -> str:
    return f"/api/v1/models/{release[0]}/releases/{release[1]}"


def _print_done(done: PromotionLine) -> None:
    if done.moved is None:
        say(f"{done.preview.release} waits for a second person. What they type:")
        say(f"  lockgate promote {done.preview.release} --confirm --why '…'")
        return
    print_moved(done.moved)
    note(f"Go back with: lockgate rollback {done.preview.release.partition('@')[0]} --why '…'")
