"""What `lockgate doctor` says of the machine that models run on."""

from gateway.inference.machine import Machine, cores
from gateway.inference.session import present_providers
from lockgate.errors import CommandError
from lockgate.findings import Finding, bad, ok
from lockgate.processes.machine import machine_of
from lockgate.settings import Settings


def check_machine(settings: Settings) -> Finding:
    """Whether the execution providers and threads that the settings name are here."""
    try:
        offer = machine_of(settings).offer
    except CommandError as error:
        return bad("machine", str(error), "Put the setting right; no gateway starts with it.")
    present = present_providers()
    absent = [each.name for each in offer or () if each.name not in present]
    says = f"{cores()} cores; onnxruntime brings {', '.join(present)}."
    if absent:
        return bad(
            "machine", f"{says} It lacks {', '.join(absent)}, which execution_providers names.",
            "Install the build of onnxruntime that brings it, or put execution_providers right.",
        )  # fmt: skip
    return ok("machine", says)


def machine_here(settings: Settings) -> Machine:
    """The machine as the settings say; any, where they are wrong, which `check_machine` tells."""
    try:
        return machine_of(settings)
    except CommandError:
        return Machine()
