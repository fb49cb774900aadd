"""Which provider a model runs by, and what a card's section may say."""

from typing import Any

import msgspec
import pytest

from gateway.errors import GatewayError
from gateway.inference.errors import ProviderAbsent, ProviderOptionsWrong, TooManyThreads
from gateway.inference.machine import Machine, cores, require_runs_here
from gateway.inference.providers import Provider, chosen, offered
from gateway.inference.wish import PLAIN, SessionWish, session_bytes, session_key, usual_faults, wish_faults, with_usual
from gateway.protocol.signature import Signature, TensorSpec
from gateway.registry.card import read_card
from tests.integration.registry.scene import CARD

SIGNATURE = Signature(
    inputs=(TensorSpec(name="tokens", datatype="INT64", shape=(-1, -1)),),
    outputs=(TensorSpec(name="y", datatype="FP32", shape=(-1, 2)),),
)


def wish(**said: Any) -> SessionWish:
    """A section as a card says it."""
    return msgspec.convert(said, SessionWish)


@pytest.mark.parametrize(
    ("wanted", "offer", "present", "runs_by"),
    [
        (("cpu",), None, ("cpu",), ["cpu"]),
        (("cuda", "cpu"), None, ("cpu", "cuda"), ["cuda", "cpu"]),
        (("cuda", "cpu"), None, ("cpu",), ["cpu"]),
        (("tensorrt", "cuda"), "cuda cpu", ("cpu", "cuda", "tensorrt"), ["cuda"]),
        (("cuda", "cpu"), "cpu", ("cpu", "cuda"), ["cpu"]),
    ],
    ids=["default", "all is there", "falls back as it may", "not offered", "the machine keeps its device"],
)
def test_the_first_that_is_wanted_offered_and_present_is_tried_first(
    wanted: tuple[Any, ...], offer: str | None, present: tuple[Any, ...], runs_by: list[str]
) -> None:
    """The card's order counts; what the machine does not offer or bring is passed over."""
    offers = offered(offer) if offer is not None else None
    assert [each.name for each in chosen(wanted, PLAIN.options, offers, present)] == runs_by


@pytest.mark.parametrize(("offer", "has"), [(None, "cpu"), ("cpu openvino", "cpu"), ("openvino", "none")])
def test_what_a_machine_has_not_got_is_refused_by_name(offer: str | None, has: str) -> None:
    """The sentence names what is wanted and what there is."""
    with pytest.raises(ProviderAbsent, match=f"wants the execution provider tensorrt or cuda, .* has {has}") as refused:
        chosen(("tensorrt", "cuda"), PLAIN.options, offered(offer) if offer else None, ("cpu",))
    assert refused.value.status == 422


def test_the_machines_options_outweigh_the_cards() -> None:
    """Which device there is the machine knows; the rest stays as the card says, as onnxruntime writes it."""
    options = wish(providers=["cuda"], options={"cuda": {"device_id": 3, "use_tf32": False}}).options
    (found,) = chosen(("cuda",), options, offered("cuda:device_id=1"), ("cuda", "cpu"))
    assert found == Provider(name="cuda", options={"device_id": "1", "use_tf32": "False"})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("gpu", "there is no provider 'gpu', only cpu, cuda, tensorrt, openvino"),
        ("cuda:device_id", "'device_id' of 'cuda' is not NAME=VALUE"),
        ("cuda:device_id=many", "'cuda': Expected `int"),
        ("cuda:trt_fp16_enable=true", "'cuda': Object contains unknown field `trt_fp16_enable`"),
        ("tensorrt:trt_engine_cache_path=/tmp", "unknown field"),
    ],
)
def test_a_setting_that_is_no_list_of_providers_is_refused(text: str, fault: str) -> None:
    """Names and options are known ones; no option says where files are written."""
    with pytest.raises(ProviderOptionsWrong, match=fault):
        offered(text)


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ('providers = ["gpu"]', "session.providers[1]: Invalid enum value 'gpu'"),
        ("providers = []", "Expected `array` of length >= 1"),
        ('providers = ["cuda", "cuda"]', "session.providers names a provider twice."),
        ('providers = ["cpu", "cuda"]', "cpu comes last."),
        ("threads = 0", "session.threads: Expected `int` >= 1"),
        ("[session.options.cuda]\ndevice_id = 0", "session.options.cuda is given, and session.providers does not name"),
        ("[session.options.cuda]\nmemory = 1", "session.options.cuda.memory: there is no such field"),
        ("[session.options.cpu]\nmemory = 1", "session.options.cpu: there is no such field"),
    ],
)
def test_a_section_is_read_with_every_fault(section: str, fault: str) -> None:
    """Each fault has its place."""
    _, faults = read_card(f"{CARD}\n[session]\n{section}")
    assert any(fault in each for each in faults), faults


def test_usual_shapes_fill_free_sizes_and_no_others() -> None:
    """Where items lie stays free; a name or size that the model has not is told."""
    assert usual_faults({"tokens": (-1, 128)}, SIGNATURE) == []
    assert with_usual(SIGNATURE, {"tokens": (-1, 128)}).inputs[0].shape == (-1, 128)
    assert with_usual(SIGNATURE, {}) == SIGNATURE
    narrow = with_usual(SIGNATURE, {"tokens": (-1, 128)})
    assert usual_faults({"tokens": (-1, 64)}, narrow) == [
        "session.usual.tokens is [-1, 64], and the input has [-1, 128]."
    ]
    assert usual_faults({"words": (1,)}, SIGNATURE) == ["session.usual names 'words', which is no input of the model."]
    assert len(usual_faults({"tokens": (1,)}, SIGNATURE)) == 1


def test_only_what_changes_a_session_changes_its_name() -> None:
    """A card that says nothing shares the session of the file; what is only counted makes no other session."""
    assert session_key("a" * 64, PLAIN) == "a" * 64
    assert session_key("a" * 64, wish(memory_bytes=1)) == "a" * 64
    assert session_key("a" * 64, wish(threads=2)) != session_key("a" * 64, wish(threads=3))


def test_memory_is_counted_by_the_rule_unless_the_owner_says_it() -> None:
    """Twice the file and 16 MiB, or what the card declares."""
    assert session_bytes(100, PLAIN) == 200 + (16 << 20)
    assert session_bytes(100, wish(memory_bytes=5)) == 5


@pytest.mark.parametrize(
    ("said", "machine", "refusal"),
    [
        ({}, Machine(), None),
        ({"providers": ["cuda", "cpu"]}, Machine(), None),
        ({"providers": ["openvino"]}, Machine(), ProviderAbsent),
        ({"providers": ["cuda"]}, Machine(offer=offered("cuda cpu")), None),
        ({"providers": ["cuda"]}, Machine(offer=offered("cpu")), ProviderAbsent),
        ({"threads": 256}, Machine(), TooManyThreads),
        ({"threads": 1}, Machine(), None),
    ],
    ids=["default", "may fall back", "absent", "named by the settings", "not offered", "absurd", "one"],
)
def test_admission_refuses_what_this_machine_has_not_got(
    said: dict[str, Any], machine: Machine, refusal: type[GatewayError] | None
) -> None:
    """What the settings name is believed: gateways may run elsewhere."""
    assert cores() < 256
    assert wish_faults(wish(**said)) == []
    if refusal is None:
        require_runs_here(wish(**said), machine)
    else:
        with pytest.raises(refusal):
            require_runs_here(wish(**said), machine)
