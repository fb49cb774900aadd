"""Every verb of the stock Triton clients: those that are served answer, and the others say that they are not."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.ways import Ways

SCRIPT = Path(__file__).parent / "stock" / "triton_verbs.py"
ANSWERED = (
    "is_server_live",
    "is_server_ready",
    "is_model_ready",
    "get_server_metadata",
    "get_model_metadata",
    "get_model_config",
    "get_model_repository_index",
    "get_inference_statistics",
    "load_model",
)
PREDICTING = {
    "http": ("infer", "async_infer"),
    "http.aio": ("infer",),
    "grpc": ("infer", "async_infer"),
    "grpc.aio": ("infer",),
}
NOT_SERVED = (
    *(f"{verb}_trace_settings" for verb in ("get", "update")),
    *(f"{verb}_log_settings" for verb in ("get", "update")),
    *(f"{verb}_{kind}_shared_memory" for verb in ("register", "unregister") for kind in ("system", "cuda")),
    *(f"get_{kind}_shared_memory_status" for kind in ("system", "cuda")),
)


async def test_every_verb_is_answered_or_refused_in_words(ways: Ways, client_python: Callable[[str], Path]) -> None:
    """With all that a caller may say beside its tensors each client predicts; a verb left out here is seen."""
    server = ways.scene.server
    addresses = (f"127.0.0.1:{server.port}", f"127.0.0.1:{server.grpc_port}")
    words = [str(SCRIPT), *addresses, ways.scene.caller, ways.scene.operate, "bounds"]
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(client_python("triton"), *words, stdout=pipe, stderr=pipe)
    out, errors = await done.communicate()
    assert done.returncode == 0, errors.decode()
    seen: dict[str, dict[str, str]] = json.loads(out.decode().splitlines()[-1])
    for client, predicting in PREDICTING.items():
        over_http = client.startswith("http")
        not_served = NOT_SERVED if over_http else (*NOT_SERVED, "stream_infer")
        refusal = "501: Triton's extension" if over_http else "StatusCode.UNIMPLEMENTED: "
        stays = "409: 'bounds@1' is the champion" if over_http else "StatusCode.FAILED_PRECONDITION: 'bounds@1' is the"
        expected = dict.fromkeys(ANSWERED, "answered") | dict.fromkeys(predicting, "right") | {"unload_model": stays}
        expected |= dict.fromkeys(not_served, refusal)
        if "stream_infer" in not_served:
            expected["stream_infer"] = "StatusCode.UNIMPLEMENTED: Triton's extension 'streaming' is not served here"
        told = {verb: said[: len(expected.get(verb, said))] for verb, said in seen[client].items()}
        assert told == expected, client
