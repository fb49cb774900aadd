"""`lockgate doctor`: what is wrong, and what to do."""

import asyncio

import click

from lockgate.commands.options import server_options, settled
from lockgate.diagnosis import diagnose
from lockgate.findings import Finding
from lockgate.output import print_json, say
from lockgate.settings import Settings

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


@click.command()
@server_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, /, *, as_json: bool, **given: object) -> None:
    """Look at settings, ledger, disk, clock, models, flags, keys and people, and say what to do.

    Ends with 1 when something is bad. It changes nothing.
    """
    loaded = settled(**given)
    settings = Finding(part="settings", level="ok", says=f"{len(loaded.sources)} set, the others at their defaults.")
    findings = [settings, *asyncio.run(_findings(loaded.settings))]
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            _print(finding)
    context.exit(int(any(finding.level == "bad" for finding in findings)))


async def _findings(settings: Settings) -> list[Finding]:
    return [finding async for finding in diagnose(settings)]


def _print(finding: Finding) -> None:
    level = click.style(f"{finding.level:4}", fg=COLOURS[finding.level], bold=finding.level == "bad")
    say(f"{level}  {finding.part:12} {finding.says}")
    if finding.do:
        say(f"{'':18} → {finding.do}")
