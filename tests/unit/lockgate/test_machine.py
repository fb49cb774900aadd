"""What the settings say of the machine: taken, refused, or told by the doctor."""

import pytest

from gateway.inference.machine import Machine, cores
from gateway.inference.providers import Provider
from lockgate.errors import WrongSetting
from lockgate.machine_check import check_machine, machine_here
from lockgate.processes.machine import machine_of
from lockgate.settings import Settings


def test_the_settings_become_a_machine() -> None:
    """Without settings: whatever the runtime brings, one process, no limit; many processes are no fault."""
    assert machine_of(Settings()) == Machine()
    said = Settings(execution_providers="cuda:device_id=1 cpu", models_memory_max_bytes=5, gateways=128)
    cuda = Provider(name="cuda", options={"device_id": "1"})
    assert machine_of(said) == Machine(offer=(cuda, Provider(name="cpu")), processes=128, memory_max_bytes=5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(execution_providers="gpu"), "execution_providers is wrong: .*no provider 'gpu'"),
        (Settings(model_threads=256, gateways=128), "model_threads is wrong: 128 gateways with 256 threads"),
    ],
    ids=["a provider that there is not", "threads beyond reason"],
)
def test_what_cannot_be_meant_is_refused(settings: Settings, said: str) -> None:
    """Before anything starts; the doctor tells it and looks on."""
    assert 4 * cores() < 128 * 256
    with pytest.raises(WrongSetting, match=said):
        machine_of(settings)
    assert check_machine(settings).level == "bad"
    assert machine_here(settings) == Machine()


def test_the_doctor_tells_which_provider_is_missing() -> None:
    """A provider that the settings name and the runtime does not bring is bad; the processor is always there."""
    assert check_machine(Settings(execution_providers="cpu")).level == "ok"
    found = check_machine(Settings(execution_providers="openvino cpu"))
    assert (found.level, "It lacks openvino" in found.says) == ("bad", True)
