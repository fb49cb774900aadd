"""What this machine has for models, as the settings say."""

from gateway.inference.errors import ProviderOptionsWrong
from gateway.inference.machine import Machine, cores
from gateway.inference.providers import offered
from lockgate.errors import WrongSetting
from lockgate.settings import Settings

THREADS_A_CORE_MAX = 4
"""More threads than this for each core, before any model is open, is a typing mistake."""


def machine_of(settings: Settings) -> Machine:
    """The machine that models may use. Raises: WrongSetting."""
    try:
        offer = offered(settings.execution_providers) or None
    except ProviderOptionsWrong as error:
        raise WrongSetting(name="execution_providers", why=str(error), source="the settings") from error
    threads, most = settings.gateways * settings.model_threads, THREADS_A_CORE_MAX * cores()
    if threads > most:
        why = (
            f"{settings.gateways} gateways with {settings.model_threads} threads for each model are {threads} threads "
            f"on {cores()} cores, and more than {most} only wait for each other"
        )
        raise WrongSetting(name="model_threads", why=why, source="the settings")
    return Machine(offer=offer, processes=settings.gateways, memory_max_bytes=settings.models_memory_max_bytes)
