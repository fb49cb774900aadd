"""gRPC through a real server: stock clients, every datatype, holds, keys, hostile input, TLS and an orderly end."""

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2

from tests.acceptance.cards import CLASSES, doubtful, request, sure
from tests.acceptance.rpc import Inputs, Rpc, outputs, parameters, refused
from tests.acceptance.scene import Scene, eventually, staged
from tests.acceptance.tensors import DTYPES, KINDS_CARD, some
from tests.acceptance.ways import Ways
from tests.models import add_sub, every_datatype
from tests.servers.process import MissingPart, until

STOCK = Path(__file__).parent / "stock"
KINDS, MODEL, SIMPLE = "spoken-kinds", "spoken", "simple"
PLACES = [f"place-{number}" for number in range(16)]
CHOICES = ", ".join(f'{{ value = "{place}" }}' for place in PLACES)
SIMPLE_CARD = (
    KINDS_CARD.replace("in_FP32", "INPUT0")
    .replace('output = "score"', f'output = "OUTPUT0"\ntakes = "argmax"\nclasses = {json.dumps(PLACES)}')
    .replace('kind = "number"', f'kind = "choice"\nchoices = [{CHOICES}]')
)
"""Where the sum is largest."""
CHECK = "/grpc.health.v1.Health/Check"


@pytest.fixture(scope="module")
def served(scene: Scene) -> Scene:
    """Models that give back each datatype, that are unsure of some items, and that add and subtract."""
    scene.add(KINDS, every_datatype(), KINDS_CARD)
    scene.add(SIMPLE, add_sub(), SIMPLE_CARD)
    scene.found(MODEL, wait_cap_s=50.0)
    for model in (KINDS, SIMPLE, MODEL):
        scene.switch(model, on=True)
    scene.until_automated(MODEL)
    return scene


@pytest.fixture(scope="module")
def rpc(served: Scene) -> Iterator[Rpc]:
    """A connection to the server."""
    connection = Rpc(f"127.0.0.1:{served.server.grpc_port}")
    yield connection
    connection.close()


def row(*items: list[float]) -> Inputs:
    """Inputs of the model `spoken`."""
    return {"x": ("FP32", np.array(items, np.float32))}


def ends(rpc: Rpc, method: str, message: Any, **more: Any) -> tuple[str, str, str]:
    """Status, error code and prediction of a call that gets no response."""
    with pytest.raises(grpc.RpcError) as caught:
        rpc.call(method, message, **more)
    return refused(caught.value)


@pytest.mark.parametrize("shape", [(2, 3), (0, 3)], ids=["full", "empty"])
def test_every_datatype_goes_in_and_comes_out_raw(served: Scene, rpc: Rpc, shape: tuple[int, int]) -> None:
    """Each tensor comes back as it went in, and as raw as it came."""
    inputs = {f"in_{name}": (name, some(name, shape)) for name in DTYPES}
    answer = rpc.call("ModelInfer", rpc.inference(KINDS, inputs, id="r-1"), key=served.caller)
    told = outputs(answer)
    assert (answer.id, len(answer.raw_output_contents)) == ("r-1", len(answer.outputs))
    assert parameters(answer)["review_status"] == "automated"
    for name, (_, array) in inputs.items():
        assert np.array_equal(told[name.replace("in", "out")], array), name


def test_typed_contents_come_back_typed(served: Scene, rpc: Rpc) -> None:
    """Elements in the fields of their datatypes are answered in such fields, in the order that was asked for."""
    rows = {f"INPUT{index}": ("INT32", some("INT32", (2, 16), index) // 4) for index in range(2)}
    wanted = [{"name": "OUTPUT1"}, {"name": "review_status"}]
    answer = rpc.call("ModelInfer", rpc.inference(SIMPLE, rows, raw=False, outputs=wanted), key=served.caller)
    assert not answer.raw_output_contents
    told = outputs(answer)
    assert list(told) == ["OUTPUT1", "review_status"]
    assert np.array_equal(told["OUTPUT1"], rows["INPUT0"][1] - rows["INPUT1"][1])
    assert told["review_status"].tolist() == ["automated", "automated"]


def test_a_large_tensor_goes_in_and_comes_out(served: Scene, rpc: Rpc) -> None:
    """Megabytes are the same in the end, whatever the size that the library takes by default."""
    inputs = {f"in_{name}": (name, some(name, (50, 1))) for name in DTYPES}
    inputs |= {"in_FP64": ("FP64", some("FP64", (50, 40_000)))}
    answer = rpc.call("ModelInfer", rpc.inference(KINDS, inputs), key=served.caller)
    assert np.array_equal(outputs(answer)["out_FP64"], inputs["in_FP64"][1])


def test_what_is_said_over_grpc_counts_and_is_found(served: Scene, rpc: Rpc) -> None:
    """A prediction is in the statistics of either listener and is told by its URL, as if it had come over HTTP."""
    item, asked = sure(), rpc.message("ModelStatisticsRequest")(name=MODEL)
    before = rpc.call("ModelStatistics", asked, key=served.caller).model_stats[0].inference_count
    answer = rpc.call("ModelInfer", rpc.inference(MODEL, row(item)), key=served.caller)
    assert rpc.call("ModelStatistics", asked, key=served.caller).model_stats[0].inference_count == before + 1
    with served.server.client(served.caller) as client:
        stats = client.get(f"/v2/models/{MODEL}/stats").json()["model_stats"][0]
        assert stats["inference_count"] == before + 1
        url = f"/v2/predictions/{parameters(answer)['prediction_id']}"
        until(lambda: client.get(url).is_success, "the prediction is told by its URL")
        told = client.get(url).json()
    assert told["parameters"] == parameters(answer)
    assert np.allclose(told["outputs"][0]["data"], outputs(answer)["probabilities"].ravel())


async def test_a_call_waits_for_the_verdict(served: Scene, rpc: Rpc) -> None:
    """It waits for a person like for a slow model, and is told the correction."""
    call = rpc.start("ModelInfer", rpc.inference(MODEL, row(doubtful())), key=served.caller)
    async with served.reviewing() as reviewer:
        case = await reviewer.waiting_case(MODEL, 30)
        await reviewer.judge(case["id"], "correct", "low")
        answer = await asyncio.to_thread(call.result)
    assert parameters(answer)["review_status"] == "corrected"
    assert CLASSES[int(outputs(answer)["probabilities"].argmax())] == "low"


async def test_a_hold_is_met_again_under_its_key(served: Scene, rpc: Rpc) -> None:
    """Asked to respond at once, a hold is FAILED_PRECONDITION with its id; later the same key tells its answer."""
    asked = rpc.inference(MODEL, row(doubtful()))
    sent = {"key": served.caller, "idempotency_key": "spoken-1"}
    status, code, prediction_id = ends(rpc, "ModelInfer", asked, prefer="respond-async", **sent)
    assert (status, code) == ("FAILED_PRECONDITION", "held")
    assert ends(rpc, "ModelInfer", asked, prefer="respond-async", **sent)[2] == prediction_id
    other = rpc.inference(MODEL, row(doubtful()))
    assert ends(rpc, "ModelInfer", other, **sent)[:2] == ("INVALID_ARGUMENT", "idempotency-key-reused")
    async with served.reviewing() as reviewer:
        await reviewer.settle(prediction_id, "approve")
    answer = await asyncio.to_thread(rpc.call, "ModelInfer", asked, **sent)
    assert parameters(answer)["review_status"] == "approved"
    assert parameters(answer)["prediction_id"] == prediction_id


async def test_the_deadline_ends_the_wait(served: Scene, rpc: Rpc) -> None:
    """Shortly before its deadline a caller is told the fallback with the prediction's id, and never UNAVAILABLE."""
    asked = rpc.inference(MODEL, row(doubtful()))

    async def told() -> str:
        ended = await asyncio.to_thread(ends, rpc, "ModelInfer", asked, key=served.caller, timeout=2)
        if ended[0] == "DEADLINE_EXCEEDED":
            return ""  # a machine that is busy may need more than the margin; the next call joins the hold
        assert ended[:2] == ("FAILED_PRECONDITION", "held-too-long")
        return ended[2]

    prediction_id = await eventually(told, "the fallback", 60)
    async with served.reviewing() as reviewer:
        await reviewer.settle(prediction_id, "approve")


async def test_the_same_tensors_are_the_same_request(served: Scene, rpc: Rpc) -> None:
    """Raw, typed or JSON over HTTP: equal input of the same caller joins one hold."""
    item = doubtful()
    with served.server.client(served.caller) as client:
        held = client.post(f"/v2/models/{MODEL}/infer", json=request(item), headers={"Prefer": "respond-async"})
        ids = {held.json()["parameters"]["prediction_id"]}
        for raw in (True, False):
            message = rpc.inference(MODEL, row(item), raw=raw)
            ids.add(ends(rpc, "ModelInfer", message, key=served.caller, prefer="respond-async")[2])
        assert len(ids) == 1
        assert client.delete(held.headers["Location"]).status_code == 204


async def test_a_caller_that_cancels_leaves_its_hold(served: Scene, rpc: Rpc) -> None:
    """A cancelled call waits no more, and people still judge what it asked."""
    call = rpc.start("ModelInfer", rpc.inference(MODEL, row(doubtful())), key=served.caller)
    async with served.reviewing() as reviewer:
        case = await reviewer.waiting_case(MODEL, 30)
        call.cancel()

        async def nobody_waits() -> bool:
            cases = await reviewer.cases(prediction=case["prediction_id"])
            return not any(each["caller_waiting"] for each in cases)

        await eventually(nobody_waits, "nobody waits")
        await reviewer.judge(case["id"], "approve")
    async with served.calling() as caller:
        assert (await caller.truth(case["prediction_id"])).json()["parameters"]["review_status"] == "approved"


KEYED = ("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics", "ModelInfer", "RepositoryIndex")
OPERATED = ("RepositoryModelLoad", "RepositoryModelUnload")


def asking(rpc: Rpc, method: str) -> Any:
    """A request of a method about the model `spoken`."""
    message = rpc.message(f"{method}Request")()
    names = {field.name for field in message.DESCRIPTOR.fields}
    for name in names & {"name", "model_name"}:
        setattr(message, name, MODEL)
    return message


@pytest.mark.parametrize("method", [*KEYED, *OPERATED])
def test_a_key_is_needed(served: Scene, rpc: Rpc, method: str) -> None:
    """Nothing but health and what the server is can be asked without a key, or with one that does not exist."""
    for key in ("", "lg_none"):
        assert ends(rpc, method, asking(rpc, method), key=key)[:2] == ("UNAUTHENTICATED", "unauthenticated")


def test_what_needs_no_key(rpc: Rpc) -> None:
    """Whether it lives, whether it is ready, what it is, and the standard health check."""
    assert rpc.call("ServerLive", b"").live
    assert rpc.call("ServerReady", b"").ready
    assert "review" in rpc.call("ServerMetadata", b"").extensions
    check = rpc.channel.unary_unary(CHECK, response_deserializer=health_pb2.HealthCheckResponse.FromString)
    named = health_pb2.HealthCheckRequest(service="inference.GRPCInferenceService").SerializeToString()
    assert [check(asked).status for asked in (b"", named)] == [health_pb2.HealthCheckResponse.SERVING] * 2
    with pytest.raises(grpc.RpcError) as caught:
        check(health_pb2.HealthCheckRequest(service="nothing").SerializeToString())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= set(rpc.reflected.get_services())


def test_health_can_be_watched(rpc: Rpc) -> None:
    """A load balancer that watches is told how it is now; of a service that is not here, that it is unknown."""
    watching = rpc.channel.unary_stream(
        "/grpc.health.v1.Health/Watch", response_deserializer=health_pb2.HealthCheckResponse.FromString
    )
    for service, status in (("", "SERVING"), ("inference.GRPCInferenceService", "SERVING"), ("no", "SERVICE_UNKNOWN")):
        stream = watching(health_pb2.HealthCheckRequest(service=service).SerializeToString(), timeout=30)
        assert health_pb2.HealthCheckResponse.ServingStatus.Name(next(stream).status) == status
        stream.cancel()


def test_what_is_not_served_is_not_found(served: Scene, rpc: Rpc) -> None:
    """Another model or version is NOT_FOUND, whatever is asked about it, and what is no method is UNIMPLEMENTED."""
    for model, version, code in (("nothing", "", "unknown-model"), (MODEL, "9", "unknown-version")):
        message = rpc.inference(model, row(sure()), model_version=version)
        assert ends(rpc, "ModelInfer", message, key=served.caller)[:2] == ("NOT_FOUND", code)
        for method in ("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"):
            asked = rpc.message(f"{method}Request")(name=model, version=version)
            assert ends(rpc, method, asked, key=served.caller)[:2] == ("NOT_FOUND", code)
    with pytest.raises(grpc.RpcError) as caught:
        rpc.channel.unary_unary("/inference.GRPCInferenceService/TraceSetting")(b"", timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("ended", [True, False], ids=["all said", "more to say"])
def test_a_stream_is_refused_in_words(served: Scene, rpc: Rpc, ended: bool) -> None:
    """After its first message, also where its caller keeps it open for an answer; a stranger is asked for a key."""
    message = rpc.inference(MODEL, row(sure())).SerializeToString()
    streaming = rpc.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
    stays = threading.Event()

    def messages() -> Iterator[bytes]:
        yield message
        assert ended or stays.wait(30)

    for key, told in (
        (served.caller, ("UNIMPLEMENTED", "extension-not-served", "")),
        ("", ("UNAUTHENTICATED", "unauthenticated", "")),
    ):
        metadata = [("authorization", f"Bearer {key}")] if key else []
        with pytest.raises(grpc.RpcError) as caught:
            next(streaming(messages(), metadata=metadata, timeout=30))
        assert refused(caught.value) == told
    stays.set()


def test_a_key_does_what_it_may(served: Scene, rpc: Rpc) -> None:
    """A key for another model sees nothing of this one, a caller does not operate, and an operator hears why not."""
    other = served.make_key("grpc-other", "predict:grades")
    with served.server.client(other) as client:
        until(lambda: client.get("/v2/models/grades/ready").is_success, "the key is known")
    assert ends(rpc, "ModelInfer", asking(rpc, "ModelInfer"), key=other)[:2] == ("PERMISSION_DENIED", "forbidden")
    assert ends(rpc, "ModelMetadata", asking(rpc, "ModelMetadata"), key=other)[0] == "NOT_FOUND"
    assert [each.name for each in rpc.call("RepositoryIndex", b"", key=other).models] == ["grades"]
    for method in OPERATED:
        assert ends(rpc, method, asking(rpc, method), key=served.caller)[0] == "PERMISSION_DENIED"
    rpc.call("RepositoryModelLoad", asking(rpc, "RepositoryModelLoad"), key=served.operate)
    unloaded = ends(rpc, "RepositoryModelUnload", asking(rpc, "RepositoryModelUnload"), key=served.operate)
    assert unloaded[:2] == ("FAILED_PRECONDITION", "champion-stays")


def hostile(rpc: Rpc) -> dict[str, tuple[Any, str]]:
    """Requests that are wrong, each with the code of its refusal."""

    def spoilt(spoil: Callable[[Any], object], *, raw: bool = True) -> Any:
        message = rpc.inference(MODEL, row(sure()), raw=raw)
        spoil(message)
        return message

    def shape(*sizes: int) -> Callable[[Any], object]:
        return lambda message: (message.inputs[0].ClearField("shape"), message.inputs[0].shape.extend(sizes))

    return {
        "garbage": (b"\xff" * 40, "malformed-message"),
        "a cut message": (spoilt(id).SerializeToString()[:-3], "malformed-message"),
        "text that is none": (b"\x0a\x02\xff\xfe", "malformed-message"),
        "no inputs": (spoilt(lambda m: (m.ClearField("inputs"), m.ClearField("raw_input_contents"))), "missing-input"),
        "raw too short": (spoilt(lambda m: m.raw_input_contents.__setitem__(0, b"\0" * 15)), "binary-size-wrong"),
        "raw too long": (spoilt(lambda m: m.raw_input_contents.__setitem__(0, b"\0" * 17)), "binary-size-wrong"),
        "raw twice": (spoilt(lambda m: m.raw_input_contents.append(b"")), "raw-contents-counted"),
        "raw and typed": (spoilt(lambda m: m.inputs[0].contents.fp32_contents.append(1)), "raw-and-contents"),
        "no contents": (spoilt(lambda m: m.inputs[0].ClearField("contents"), raw=False), "contents-missing"),
        "wrong field": (
            spoilt(lambda m: m.inputs[0].contents.fp64_contents.append(1), raw=False),
            "contents-misplaced",
        ),
        "too few": (spoilt(lambda m: m.inputs[0].contents.fp32_contents.pop(), raw=False), "wrong-element-count"),
        "negative": (spoilt(shape(-1, 4)), "negative-dimension"),
        "endless": (spoilt(shape(2**62, 4)), "shape-overflow"),
        "huge": (spoilt(shape(2**40, 4)), "too-many-elements"),
        "given twice": (
            spoilt(lambda m: (m.inputs.append(m.inputs[0]), m.raw_input_contents.append(m.raw_input_contents[0]))),
            "duplicate-input",
        ),
        "shared memory": (
            spoilt(lambda m: m.inputs[0].parameters["shared_memory_region"].MergeFrom(_text_parameter(rpc))),
            "parameter-not-served",
        ),
    }


def test_hostile_messages_are_refused_by_name(served: Scene, rpc: Rpc) -> None:
    """Whatever is wrong with a message, its sender is told what, and the server goes on."""
    found = {}
    for name, (message, _) in hostile(rpc).items():
        status, code, _ = ends(rpc, "ModelInfer", message, key=served.caller)
        found[name] = code
        assert status == ("UNIMPLEMENTED" if code == "parameter-not-served" else "INVALID_ARGUMENT"), name
    assert found == {name: code for name, (_, code) in hostile(rpc).items()}
    assert rpc.call("ModelInfer", rpc.inference(MODEL, row(sure())), key=served.caller).model_name == MODEL


def test_a_message_over_the_limit_is_refused(served: Scene, rpc: Rpc) -> None:
    """Neither a large message nor one that inflates to a large one is taken."""
    bomb = b"\x3a" + b"\0" * (70 << 20)
    calling = rpc.channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    for packing in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as caught:
            calling(bomb, compression=packing, timeout=60, metadata=[("authorization", f"Bearer {served.caller}")])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_triton_clients_send_every_form(
    served: Scene, rpc: Rpc, client_python: Callable[[str], Path], tmp_path: Path
) -> None:
    """Each client, compression and datatype gets back what was sent; every verb is answered; messages are theirs."""
    messages = tmp_path / "messages"
    messages.write_bytes(rpc.message("ModelInferRequest").DESCRIPTOR.file.serialized_pb)
    words = (served.caller, served.operate, KINDS, "20", "100", str(messages))
    seen = await stock("triton_grpc", client_python("triton"), f"127.0.0.1:{served.server.grpc_port}", *words)
    assert (seen["answers"], seen["wrong"], seen["strangers"]) == (12, [], [])
    assert (seen["id"], seen["live"], seen["ready"], seen["model_ready"]) == ("r-1", True, True, [True, True])
    assert {"name": "in_BYTES", "data_type": "TYPE_STRING", "dims": ["-1", "-1"]} in seen["config"]["config"]["input"]
    assert {"name": KINDS, "version": "1", "state": "READY"} in seen["index"]["models"]
    [stats] = seen["stats"]["model_stats"]
    assert int(stats["execution_count"]) >= 13
    assert "20" in [batch.get("batch_size") for batch in stats["batch_stats"]]  # 0 is left out of JSON
    said = {who: {verb: text.partition(" ")[0] for verb, text in seen[who].items()} for who in ("refused", "operator")}
    code = "StatusCode."
    assert said["refused"] == {
        "no key": f"{code}UNAUTHENTICATED", "load": f"{code}PERMISSION_DENIED", "unknown": f"{code}NOT_FOUND"
    }  # fmt: skip
    assert said["operator"] == {
        "load": "", "file": f"{code}INVALID_ARGUMENT", "unload": f"{code}FAILED_PRECONDITION"
    }  # fmt: skip


async def test_tritons_own_example_runs(served: Scene, client_python: Callable[[str], Path]) -> None:
    """The `simple` model of Triton's examples adds and subtracts, over HTTP and gRPC, for Triton's own client."""
    addresses = (f"127.0.0.1:{served.server.port}", f"127.0.0.1:{served.server.grpc_port}")
    seen = await stock("triton_simple", client_python("triton"), *addresses, served.caller, SIMPLE)
    refusal = "No model named 'wrong_model_name' is served here."
    assert seen == {each: {"right": True, "refused": refusal} for each in ("http", "grpc")}


async def test_the_kserve_client_sends_every_datatype(
    served: Scene, ways: Ways, client_python: Callable[[str], Path]
) -> None:
    """Raw tensors and typed contents of every datatype come back as they went."""
    address = f"127.0.0.1:{served.server.grpc_port}"
    seen = await stock("kserve_grpc", client_python("kserve"), address, served.caller, KINDS, "each-typed", SIMPLE)
    assert (seen["outputs"], seen["wrong"], seen["right"]) == (27, [], True)
    assert (seen["ready"], seen["refused"]) == ([True, True, True], "UNAUTHENTICATED")


async def test_tls_several_processes_and_an_orderly_end(tmp_path: Path) -> None:
    """Two gateways share one address and speak TLS; told to end, they answer who waits and take nobody more."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    named = {"grpc_certificate": certificate, "grpc_private_key": key, "gateways": 2}
    with staged(tmp_path, **named) as scene:
        address = f"localhost:{scene.server.grpc_port}"
        connection = Rpc(address, certificate.read_bytes())
        call = connection.start("ModelInfer", connection.inference("grades", row(doubtful())), key=scene.caller)
        async with scene.reviewing() as reviewer:
            await reviewer.waiting_case("grades", 30)
        plain = grpc.insecure_channel(address)
        with pytest.raises(grpc.RpcError) as caught:
            plain.unary_unary("/inference.GRPCInferenceService/ServerLive")(b"", timeout=10)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        plain.close()
        states = scene.admin.get(f"{scene.server.monitor_url}/health").json()["processes"]
        grpc_states = [one["state"] for each in states for one in each["dependencies"] if one["name"] == "grpc"]
        assert grpc_states == ["up", "up"]
        ended = asyncio.create_task(asyncio.to_thread(scene.server.stop))
        with pytest.raises(grpc.RpcError) as caught:
            await asyncio.to_thread(call.result)
        assert refused(caught.value)[:2] == ("FAILED_PRECONDITION", "held-too-long")
        assert await ended == 0
        connection.close()


def make_certificate(certificate: Path, key: Path) -> None:
    """A certificate of `localhost` that is its own authority."""
    if shutil.which("openssl") is None:
        raise MissingPart("openssl is needed to make a certificate: install it (apt install openssl)")
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    more = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", *words, *more], check=True, capture_output=True)


async def stock(script: str, python: Path, *words: str) -> dict[str, Any]:
    """What a stock client saw, in an environment of its own."""
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(python, str(STOCK / f"{script}.py"), *words, stdout=pipe, stderr=pipe)
    out, errors = await done.communicate()
    assert done.returncode == 0, errors.decode()
    seen: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return seen


def _text_parameter(rpc: Rpc) -> Any:
    return rpc.message("InferParameter")(string_param="region")
