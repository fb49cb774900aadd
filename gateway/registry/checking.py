"""Whether a model file and its card may be served, with every fault at once; needs no ledger and no server."""

from pathlib import Path

import msgspec

from gateway.errors import GatewayError
from gateway.inference.admission import admit
from gateway.inference.machine import Machine, require_runs_here
from gateway.inference.refusals import AdmissionRefused
from gateway.inference.report import AdmissionLimits, AdmissionReport
from gateway.registry.card import Card, card_warnings, read_card
from gateway.registry.fitting import faults


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: a report if the file is admitted, and sentences that say what to put right."""

    report: AdmissionReport | None
    faults: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    """What to know about a file that is admitted, and about its card."""


async def check(file: Path, card_text: str, limits: AdmissionLimits | None = None) -> Checked:
    """Admit the file, read the card, and hold one against the other."""
    card, found = read_card(card_text)
    try:
        report = await admit(file, limits)
    except AdmissionRefused as refused:
        return Checked(report=None, faults=(str(refused), *found))
    warnings = report.warnings
    if card is not None:
        found += tuple(faults(card, report))
        warnings += (*card_warnings(card), *_lacking_here(card))
    return Checked(report=report, faults=found, warnings=warnings)


def _lacking_here(card: Card) -> tuple[str, ...]:
    """What this machine has not got for the model; another one may have it."""
    try:
        require_runs_here(card.session, Machine())
    except GatewayError as error:
        return (f"{error} That is said of the machine on which you check; the server looks at its own.",)
    return ()
