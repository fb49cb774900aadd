"""`lockgate config`: every setting with its source."""

import click
import msgspec

from lockgate.commands.options import server_options, settled
from lockgate.output import print_json, print_table


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A setting, its value and where that comes from."""

    name: str
    value: str
    source: str
    variable: str
    description: str


@click.command()
@server_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with descriptions.")
def config(*, as_json: bool, **given: object) -> None:
    """Show every setting and where it comes from; secrets are masked."""
    shown = [
        Shown(name=option.name, value=value, source=source, variable=option.variable, description=option.description)
        for option, value, source in settled(**given).shown()
    ]
    if as_json:
        print_json(shown)
    else:
        print_table(("setting", "value", "source"), [(one.name, one.value or "-", one.source) for one in shown])
