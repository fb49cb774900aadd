"""What `lockgate doctor` says of the machine that models run on."""

from gateway.inference.machine import Machine, cores
from gateway.inference.session import present_providers
from gateway.plan import Plan
from gateway.registry.room import MIB, oversubscribed, room_for
from lockgate.errors import CommandError
from lockgate.findings import Finding, bad, ok, warn
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


def check_sessions(settings: Settings, plan: Plan) -> Finding:
    """Whether the models that serve fit the memory and the cores that they may have."""
    room = room_for(plan.models.values(), settings.models_memory_max_bytes)
    threads, processes = room.threads(settings.model_threads), settings.gateways
    limit = f" of {room.max_bytes // MIB} MiB" if room.max_bytes else ""
    says = (
        f"{len(room.kept)} in each of {processes} gateways: {room.bytes // MIB} MiB{limit}, "
        f"{threads} threads, {cores()} cores."
    )
    if room.over:
        return bad("sessions", f"{says} What must be open is too much.", "Raise models_memory_max_bytes.")
    if oversubscribed(room, settings.model_threads, processes, cores()):
        return warn("sessions", f"{says} The threads wait for each other.", "Lower model_threads, or those of cards.")
    if room.cold:
        cold = ", ".join(seat.release for seat in room.cold)
        return warn(
            "sessions",
            f"{says} Left cold: {cold}.",
            "Raise models_memory_max_bytes, or a rollback to them waits for their opening.",
        )
    return ok("sessions", says)
