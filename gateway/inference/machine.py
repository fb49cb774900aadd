"""What a machine has for models: its cores, its execution providers, and what its settings allow of both."""

import os

import msgspec

from gateway.inference.errors import TooManyThreads
from gateway.inference.providers import BY_CPU, CPU, Name, Provider, chosen
from gateway.inference.wish import SessionWish


def cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of this machine."""

    offer: tuple[Provider, ...] | None = None
    """The execution providers that models may use; None: whatever the runtime here brings."""
    processes: int = 1
    """How many gateway processes share the machine."""
    memory_max_bytes: int = 0
    """What the models of one gateway process may take; 0 is no limit."""

    def providers(self, wish: SessionWish) -> tuple[Provider, ...]:
        """What to try for a model, in its card's order. Raises: ProviderAbsent."""
        if self.offer is None and wish.providers == (CPU,):
            return BY_CPU
        return chosen(wish.providers, wish.options, self.offer, _present())


def require_runs_here(wish: SessionWish, machine: Machine) -> None:
    """Return if this machine has what a card wants. Raises: ProviderAbsent, TooManyThreads.

    What the settings name is believed, because gateways may run on other machines than the one that admits.
    """
    if machine.offer is not None:
        chosen(wish.providers, wish.options, machine.offer, [each.name for each in machine.offer])
    elif CPU not in wish.providers:
        chosen(wish.providers, wish.options, None, _present())
    if wish.threads is not None and wish.threads > cores():
        raise TooManyThreads(threads=wish.threads, cores=cores())


def _present() -> tuple[Name, ...]:
    """What the runtime brings; it is loaded only where somebody wants more than the processor."""
    from gateway.inference.session import present_providers

    return present_providers()
