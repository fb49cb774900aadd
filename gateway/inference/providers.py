"""Which execution provider a model runs by: what its card wants, what a machine offers, and what comes of both. Pure.

| the card wants | the machine offers | it runs by |
|---|---|---|
| cuda, cpu | cuda, cpu | cuda |
| cuda, cpu | cpu | cpu |
| cuda | cpu | nothing: ProviderAbsent |
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gateway.inference.errors import ProviderAbsent, ProviderOptionsWrong

Name = Literal["cpu", "cuda", "tensorrt", "openvino"]
CPU: Name = "cpu"
RUNTIME_NAMES: Mapping[Name, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""What onnxruntime calls them."""

Device = Annotated[int, Meta(ge=0, le=255)]
Text = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:,]{1,100}$")]
"""No path: an option must not say where files are written."""


class CpuOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The processor has no options; its threads are `threads` of the section."""


class CudaOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of CUDA, under onnxruntime's own names."""

    device_id: Device | None = None
    gpu_mem_limit: Annotated[int, Meta(ge=1)] | None = None
    """Bytes of the device's memory."""
    arena_extend_strategy: Literal["kNextPowerOfTwo", "kSameAsRequested"] | None = None
    cudnn_conv_algo_search: Literal["EXHAUSTIVE", "HEURISTIC", "DEFAULT"] | None = None
    cudnn_conv_use_max_workspace: bool | None = None
    do_copy_in_default_stream: bool | None = None
    prefer_nhwc: bool | None = None
    use_tf32: bool | None = None


class TensorrtOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of TensorRT, under onnxruntime's own names."""

    device_id: Device | None = None
    trt_max_workspace_size: Annotated[int, Meta(ge=1)] | None = None
    trt_fp16_enable: bool | None = None
    trt_int8_enable: bool | None = None
    trt_builder_optimization_level: Annotated[int, Meta(ge=0, le=5)] | None = None
    trt_profile_min_shapes: Text | None = None
    trt_profile_opt_shapes: Text | None = None
    trt_profile_max_shapes: Text | None = None


class OpenvinoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of OpenVINO, under onnxruntime's own names."""

    device_type: Text | None = None
    """Such as `CPU`, `GPU.1` or `AUTO:GPU,CPU`."""
    precision: Literal["FP32", "FP16", "ACCURACY"] | None = None
    num_of_threads: Annotated[int, Meta(ge=1, le=256)] | None = None
    num_streams: Annotated[int, Meta(ge=1, le=256)] | None = None
    disable_dynamic_shapes: bool | None = None


OPTIONS: Mapping[Name, type[msgspec.Struct]] = {
    "cpu": CpuOptions,
    "cuda": CudaOptions,
    "tensorrt": TensorrtOptions,
    "openvino": OpenvinoOptions,
}


class ProviderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a card says to each provider that it names."""

    cuda: CudaOptions = CudaOptions()
    tensorrt: TensorrtOptions = TensorrtOptions()
    openvino: OpenvinoOptions = OpenvinoOptions()


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An execution provider with its options, as onnxruntime takes them."""

    name: Name
    options: Mapping[str, str] = {}


BY_CPU = (Provider(name=CPU),)


def offered(text: str) -> tuple[Provider, ...]:
    """The providers in a setting such as `cuda:device_id=1,use_tf32=false cpu`. Raises: ProviderOptionsWrong."""
    return tuple(map(_offered_one, text.split()))


def chosen(
    wanted: Iterable[Name], options: ProviderOptions, offer: Iterable[Provider] | None, present: Iterable[Name]
) -> tuple[Provider, ...]:
    """What to try, in the card's order; the machine's options outweigh the card's.

    `offer` is None where a machine offers whatever its runtime has. Raises: ProviderAbsent where nothing is left.
    """
    by_name = {each.name: each for each in offer} if offer is not None else {}
    allowed = [name for name in present if offer is None or name in by_name]
    found = []
    for name in wanted:
        if name in allowed:
            machine = by_name[name].options if name in by_name else {}
            found.append(Provider(name=name, options=_said(getattr(options, name, CpuOptions())) | dict(machine)))
    if not found:
        raise ProviderAbsent(wanted=" or ".join(wanted), present=", ".join(sorted(allowed)) or "none")
    return tuple(found)


def _offered_one(word: str) -> Provider:
    name, _, rest = word.partition(":")
    kind = next((kind for known, kind in OPTIONS.items() if known == name), None)
    if kind is None:
        raise ProviderOptionsWrong(fault=f"there is no provider '{name}', only {', '.join(OPTIONS)}")
    given: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise ProviderOptionsWrong(fault=f"'{pair}' of '{name}' is not NAME=VALUE")
        given[key] = value
    try:
        options = _said(msgspec.convert(given, kind, strict=False))
    except msgspec.ValidationError as error:
        raise ProviderOptionsWrong(fault=f"'{name}': {error}") from error
    return msgspec.convert({"name": name, "options": options}, Provider)


def _said(options: msgspec.Struct) -> dict[str, str]:
    """The options that were given, as text; truth is `True` or `False`, which every provider reads."""
    given: dict[str, Any] = msgspec.to_builtins(options)
    return {name: str(value) for name, value in given.items()}
