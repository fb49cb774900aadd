"""A plain request is answered and recorded by the express way exactly as by the general one, or is not taken there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest

from gateway.call import NOTHING_BEGUN, Begun, Call
from gateway.inference.session import Cost
from gateway.record.codec import may_be_drawn
from gateway.record.entries import Decided, StageTimes
from gateway.record.reader import SegmentReader
from gateway.record.segment import open_segments
from gateway.registry.live import LivePlan
from gateway.reply import Reply
from tests.bench.stand import CARD as TEXT_CARD
from tests.bench.stand import Stand, open_stand
from tests.models import add_sub, convolutions, every_datatype, network, text_classifier

CARD = """
batch_axis = 0
guideline = "Which class?"
[about]
owner = "test"
contact = "test@example.org"
intended_use = "Testing."
limitations = "None."
[[shown]]
input = "x"
kind = "json"
[answer]
output = "probabilities"
takes = "argmax"
confidence = "probabilities"
classes = ["a", "b", "c"]
[labels]
kind = "choice"
choices = [{ value = "a" }, { value = "b" }, { value = "c" }]
[policy]
audit_rate = 0.0
audit_rate_under_pressure = 0.0
"""
NOBODY = UUID(int=0)
ROW = [0.25, -1.5, 3.0, 0.125]
OTHER = [-2.0, 1.0, 0.0, 4.5]


@dataclass
class Sent:
    """An exchange whose answer is kept."""

    body: bytes
    headers: list[tuple[bytes, bytes]]
    target: bytes = b"/v2/models/m/infer"
    head: None = None
    told: bytes | None = None
    given_back: Begun | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, body: bytes) -> None:
        """Keep it."""
        assert not self.done.is_set()
        self.told = body
        self.done.set()

    def refuse(self, reply: Reply) -> None:
        """Nothing here waits in line."""
        raise AssertionError(reply)

    def generally(self, begun: Begun = NOTHING_BEGUN) -> None:
        """Keep what was begun."""
        assert not self.done.is_set()
        self.given_back = begun
        self.done.set()


def body(*rows: list[float], **more: Any) -> bytes:
    """A request for these rows."""
    data = [number for row in rows for number in row]
    tensor = {"name": "x", "shape": [len(rows), len(rows[0]) if rows else 4], "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor | more.pop("tensor", {})]} | more).encode()


def raw(*rows: list[float], size: int | None = None, **more: Any) -> tuple[bytes, int]:
    """The same with its numbers behind its JSON, and where that ends."""
    data = np.array(rows, np.float32)
    parameters = {"binary_data_size": data.nbytes if size is None else size}
    tensor = {"name": "x", "shape": data.shape, "datatype": "FP32", "parameters": parameters}
    head = json.dumps({"inputs": [tensor]} | more).encode()
    return head + data.tobytes(), len(head)


def raw_from(json_bytes: int) -> tuple[tuple[bytes, bytes], ...]:
    """The header that says where the JSON ends."""
    return ((b"inference-header-content-length", b"%d" % json_bytes),)


@asynccontextmanager
async def answering(card: str = CARD, file: bytes | None = None) -> AsyncIterator[Stand]:
    """A gateway whose model answers by itself."""
    async with open_stand("m", file or network(4, 8, 3), card) as stand:
        await stand.switch(on=True, model="m")
        yield stand


def send(stand: Stand, content: bytes, *headers: tuple[bytes, bytes], target: bytes = b"/v2/models/m/infer") -> Sent:
    """The request as it comes from its connection."""
    return Sent(content, [(b"authorization", f"Bearer {stand.key}".encode()), *headers], target)


async def generally(stand: Stand, content: bytes, json_bytes: int | None = None, begun: Begun = NOTHING_BEGUN) -> Reply:
    """What the general way answers."""
    call = Call(
        caller=stand.caller, model="m", version=None, headers=(), body=content, left=asyncio.Event().wait,
        json_bytes=json_bytes, begun=begun,
    )  # fmt: skip
    return await stand.pipeline.handle(call)


def entries(stand: Stand) -> list[tuple[bytes, Decided]]:
    """The log's entries, with their bytes."""
    found: list[tuple[bytes, Decided]] = []
    for path in open_segments(stand.folder / "traffic" / "open"):
        with SegmentReader(path) as reader:
            data = [frame.data for frame in reader.frames()]
        with SegmentReader(path) as reader:
            found += zip(data, [recorded.entry for recorded in reader], strict=True)  # type: ignore[arg-type]
    return found


def alike(entry: Decided) -> Decided:
    """The entry without what differs between any two."""
    items = tuple(msgspec.structs.replace(item, audit_draw=None) for item in entry.items)
    flags = msgspec.structs.replace(entry.flags, evaluated_us=0)
    return msgspec.structs.replace(
        entry, at_us=0, prediction=NOBODY, stages=StageTimes(), items=items, flags=flags, plain=False
    )


CHOICES = 'kind = "choice"\nchoices = [{ value = "a" }, { value = "b" }, { value = "c" }]'
NUMBER = (
    CARD.replace('takes = "argmax"\n', "")
    .replace('confidence = "probabilities"\nclasses = ["a", "b", "c"]\n', "")
    .replace(CHOICES, 'kind = "number"')
)
ENVELOPE = CARD + "[policy.envelope.x]\nminimum = -10.0\nmaximum = 10.0\n"
MOST = CARD.replace('classes = ["a"', 'confidence_is = "max"\nclasses = ["a"')
SURE = CARD.replace("[policy]", "[policy]\nhold_below = 0.0001")
SURE_CLASS = CARD + "[policy.hold_below_by_class]\na = 0.0001\nb = 0.0001\nc = 0.0001\n"
UNKEPT = CARD.replace("[policy]", "[policy]\ncapture = 0.0")

CONTENTS = (body(ROW), body(ROW, OTHER, ROW), body(ROW, id='a "quoted" id'), body([1, 2, 3, 4]))
"""One item, several, one with an id of its own, and whole numbers for floats."""
CARDS = {
    "a class": CARD,
    "a number for an answer": NUMBER,
    "within an envelope": ENVELOPE,
    "the largest number as the score": MOST,
    "above the threshold": SURE,
    "above the threshold of its class": SURE_CLASS,
    "nothing captured": UNKEPT,
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
async def test_both_ways_answer_and_record_the_same(card: str) -> None:
    """Reply for byte and entry for field, but for the id, the time and the draws."""
    file = network(4, 8, 1) if card is NUMBER else None
    async with answering(card, file) as stand:
        for content in CONTENTS:
            await compare(stand, content)


async def compare(stand: Stand, content: bytes, json_bytes: int | None = None) -> None:
    """Ask one thing both ways."""
    general = await generally(stand, content, json_bytes)
    sent = send(stand, content, *(() if json_bytes is None else raw_from(json_bytes)))
    assert stand.express.take(sent)
    await sent.done.wait()
    (_, expected), (data, recorded) = entries(stand)[-2:]
    assert sent.told is not None
    told = sent.told.replace(str(recorded.prediction).encode(), str(expected.prediction).encode())
    assert told == general.body
    assert alike(recorded) == alike(expected)
    assert recorded.plain
    assert not may_be_drawn(data)
    assert recorded.prediction != expected.prediction
    assert all(0 <= (item.audit_draw or 0.0) < 1 for item in recorded.items)


@pytest.mark.parametrize("card", [CARD, ENVELOPE, UNKEPT], ids=["kept", "within an envelope", "nothing captured"])
async def test_numbers_behind_the_json_are_answered_alike(card: str) -> None:
    """One item, several, and one with an id."""
    async with answering(card) as stand:
        for content in (raw(ROW), raw(ROW, OTHER, ROW), raw(ROW, id="an id")):
            await compare(stand, *content)


async def test_a_model_that_takes_long_runs_in_its_thread_and_is_answered_alike() -> None:
    """Whether its numbers stand in the JSON or behind it; nobody waits on the loop meanwhile."""
    async with answering() as stand:
        slow(stand)
        for content in (*((each, None) for each in CONTENTS), raw(ROW), raw(ROW, OTHER)):
            await compare(stand, *content)


async def test_a_picture_is_answered_alike() -> None:
    """Six hundred thousand bytes behind the JSON or in it, of which the digest is kept and nothing else."""
    card = UNKEPT.replace('["a", "b", "c"]', json.dumps([f"c{n}" for n in range(10)])).replace(CHOICES, 'kind = "text"')
    x = np.random.default_rng(1).random((1, 3, 224, 224)).astype(np.float32)
    tensor = {"name": "x", "shape": x.shape, "datatype": "FP32", "parameters": {"binary_data_size": x.nbytes}}
    head = json.dumps({"inputs": [tensor]}).encode()
    content = head + x.tobytes()
    async with answering(card, convolutions()) as stand:
        raw, bare = send(stand, b"", *raw_from(len(head))), send(stand, b"")
        room = stand.express.room(raw, len(content))
        assert room is not None
        room[:] = content
        await compare(stand, room, len(head))  # type: ignore[arg-type]
        written = json.dumps({"inputs": [_written(x)]}).encode()
        room = stand.express.room(bare, len(written))
        assert room is not None
        room[:] = written
        await compare(stand, room)  # type: ignore[arg-type]
        for wrong in (written.replace(b"FP32", b"FP64"), written.replace(b"0.", b"1e39", 1), written[:-1]):
            assert not stand.express.take(send(stand, memoryview(wrong)))  # type: ignore[arg-type]
        assert stand.express.room(raw, 1 << 21) is None
        assert stand.express.room(bare, 5 << 20) is None
        assert stand.express.room(Sent(b"", raw.headers[1:]), len(content)) is None
    async with answering(card.replace("capture = 0.0", "capture = 1.0"), convolutions()) as stand:
        sent = send(stand, content, *raw_from(len(head)))
        assert stand.express.room(sent, len(content)) is None
        assert not stand.express.take(sent)


def _written(x: Any) -> dict[str, Any]:
    """A tensor with its numbers in the JSON."""
    data = [round(float(number), 6) for number in x.ravel()]
    return {"name": "x", "shape": x.shape, "datatype": "FP32", "data": data}


async def test_what_was_run_already_is_not_run_again() -> None:
    """A request that turns out to be held is held by what its model has said, drawn as it was drawn."""
    card = CARD.replace("[policy]", "[policy]\nhold_below = 1.0\nfallback = 'refuse'")
    async with answering(card) as stand:
        slow(stand)
        sent = send(stand, body(ROW))
        assert stand.express.take(sent)
        await sent.done.wait()
        assert sent.given_back is not None
        said = {name: array / 2 for name, array in sent.given_back.outputs.items()}
        begun = msgspec.structs.replace(sent.given_back, outputs=said, draws=(0.125,))
        held = asyncio.create_task(generally(stand, body(ROW), begun=begun))
        await recorded(stand, 1)
        held.cancel()
        ((_, entry),) = entries(stand)
        assert entry.rule == "below_threshold"
        assert entry.items[0].score == pytest.approx(max(said["probabilities"][0]))


def slow(stand: Stand) -> None:
    """Let the model be one of which nobody knows how long it takes."""
    live = stand.follower.live
    live.live(next(iter(live.plan.models.values())).champion).session.cost = Cost()


async def recorded(stand: Stand, count: int) -> None:
    """Wait until so many entries are there."""
    async with asyncio.timeout(10):
        while len(entries(stand)) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_too_many_for_a_model_that_takes_long_are_refused_by_the_general_way() -> None:
    """While as many wait as may, nothing more is taken, and no room is made for it."""
    async with answering(UNKEPT + "[batching]\nmax_waiting = 1\n") as stand:
        slow(stand)
        content, json_bytes = raw(ROW)
        first, second, third = (send(stand, content, *raw_from(json_bytes)) for _ in range(3))
        assert stand.express.take(first)
        assert stand.express.take(second)
        assert not stand.express.take(third)
        assert stand.express.room(third, 700_000) is None
        await first.done.wait()
        await second.done.wait()
        assert first.told is not None
        assert second.told is not None
        assert third.told is None
        assert third.given_back is None
        assert stand.express.room(third, 700_000) is not None


async def test_a_model_with_several_inputs_and_outputs_is_answered_alike() -> None:
    """Two inputs of whole numbers and two outputs, told and digested in the same order both ways."""
    card = NUMBER.replace('output = "probabilities"', 'output = "OUTPUT0"').replace('input = "x"', 'input = "INPUT0"')
    inputs = [
        {"name": f"INPUT{n}", "shape": [1, 1], "datatype": "INT32", "data": [n + 40]} for n in range(2)
    ]  # fmt: skip
    content = json.dumps({"inputs": inputs}).encode()
    async with answering(card, add_sub(1)) as stand:
        general = await generally(stand, content)
        sent = send(stand, content)
        assert stand.express.take(sent)
        await sent.done.wait()
        (_, expected), (_, recorded) = entries(stand)
    assert sent.told is not None
    assert json.loads(sent.told)["outputs"] == json.loads(general.body)["outputs"]
    assert alike(recorded) == alike(expected)


NOT_TAKEN = {
    "a preference": (body(ROW), ((b"prefer", b"respond-async"),)),
    "an idempotency key": (body(ROW), ((b"idempotency-key", b"k"),)),
    "a context": (body(ROW), ((b"lockgate-context", b"user_id=u"),)),
    "a compressed body": (body(ROW), ((b"content-encoding", b"gzip"),)),
    "a JSON that ends early": (body(ROW), ((b"inference-header-content-length", b"10"),)),
    "two ends of the JSON": (body(ROW), raw_from(10) * 2),
    "no number for an end": (body(ROW), ((b"inference-header-content-length", b"-1"),)),
    "numbers in a JSON that ends": (body(ROW), raw_from(len(body(ROW)))),
    "bytes too few": (raw(ROW)[0][:-1], raw_from(raw(ROW)[1])),
    "bytes too many": (raw(ROW)[0] + b"x", raw_from(raw(ROW)[1])),
    "a size that is not the tensor's": (raw(ROW, size=12)[0], raw_from(raw(ROW, size=12)[1])),
    "no bytes": (raw(ROW)[0], raw_from(len(raw(ROW)[0]))),
    "an end beyond the body": (raw(ROW)[0], raw_from(10_000)),
    "parameters": (body(ROW, parameters={"review": "require"}), ()),
    "outputs by name": (body(ROW, outputs=[{"name": "probabilities"}]), ()),
    "nested data": (body(ROW, tensor={"data": [ROW]}), ()),
    "a wrong number of elements": (body(ROW, tensor={"data": ROW[:3]}), ()),
    "a wrong shape": (body(ROW, tensor={"shape": [4]}), ()),
    "a shape without end": (body(ROW, tensor={"shape": []}), ()),
    "another datatype": (body(ROW, tensor={"datatype": "FP64"}), ()),
    "another name": (body(ROW, tensor={"name": "y"}), ()),
    "no items": (body(ROW, tensor={"shape": [0, 4], "data": []}), ()),
    "too many items": (body(*[ROW] * 65), ()),
    "texts for numbers": (body(ROW, tensor={"data": ["1"] * 4}), ()),
    "null": (body(ROW, tensor={"data": [None] * 4}), ()),
    "two inputs": (json.dumps({"inputs": json.loads(body(ROW))["inputs"] * 2}).encode(), ()),
    "no inputs": (b'{"inputs": []}', ()),
    "no JSON": (b"{", ()),
    "nothing": (b"", ()),
    "deep": (b'{"inputs":' + b"[" * 40_000, ()),
}


async def test_what_asks_for_more_or_is_wrong_takes_the_general_way() -> None:
    """Each of these is not taken, and nothing happens to it."""
    async with answering() as stand:
        for name, (content, headers) in NOT_TAKEN.items():
            sent = send(stand, content, *headers)
            assert not stand.express.take(sent), name
            assert not sent.done.is_set()
        for target in (b"/v2/models/n/infer", b"/v2/models/m/versions/2/infer", b"/v2/models/m", b"/"):
            assert not stand.express.take(send(stand, body(ROW), target=target))
        stranger = Sent(body(ROW), [(b"authorization", b"Bearer lg_nobody")])
        assert not stand.express.take(stranger)
        assert not stand.express.take(Sent(body(ROW), []))
        assert stand.express.take(send(stand, body(ROW), target=b"/v2/models/m/versions/1/infer"))
        assert not entries(stand)


UNAUDITED = "audit_rate = 0.0\naudit_rate_under_pressure = 0.0\n"
EVERY_CARD = NUMBER.replace('"probabilities"', '"score"').replace('input = "x"', 'input = "in_FP32"')
MANY = CARD.replace('"c"]', '"c"' + "".join(f', "d{n}"' for n in range(297)) + "]").replace(CHOICES, 'kind = "text"')
GIVEN_BACK = {
    "a number beyond its datatype": (CARD, None, body([1e39, 0, 0, 0]), False),
    "an answer that is held": (CARD.replace("[policy]", "[policy]\nhold_below = 1.0"), None, body(ROW), True),
    "an item outside the envelope": (CARD + "[policy.envelope.x]\nmaximum = 2.0\n", None, body(OTHER, ROW), True),
    "an item drawn for audit": (CARD.replace("audit_rate = 0.0", "audit_rate = 1.0"), None, body(ROW, OTHER), True),
    "outputs too large for an entry": (MANY, network(4, 8, 300), body(ROW), False),
}  # fmt: skip


@pytest.mark.parametrize(("card", "file", "content", "drawn"), GIVEN_BACK.values(), ids=GIVEN_BACK)
async def test_what_turns_out_not_to_be_plain_is_given_back_with_its_draws(
    card: str, file: bytes | None, content: bytes, drawn: bool
) -> None:
    """Nothing of it is recorded here, and what was drawn for its items is not drawn again."""
    async with answering(card, file) as stand:
        sent = send(stand, content)
        assert stand.express.take(sent)
        await sent.done.wait()
        assert not entries(stand)
    assert sent.told is None
    assert sent.given_back is not None
    assert (sent.given_back.release is None) == (content == body([1e39, 0, 0, 0]))
    rows = json.loads(content)["inputs"][0]["shape"][0]
    assert len(sent.given_back.draws) == (rows if drawn else 0)


async def test_a_model_whose_outputs_are_large_is_asked_once() -> None:
    """What its first answer has shown holds for the requests after it; the run is not made again."""
    async with answering(MANY, network(4, 8, 300)) as stand:
        sent = send(stand, body(ROW))
        assert stand.express.take(sent)
        await sent.done.wait()
        assert sent.given_back is not None
        assert sent.given_back.outputs["probabilities"].shape == (1, 300)
        assert not stand.express.take(send(stand, body(ROW)))
        slow(stand)
        assert stand.express.room(sent, 700_000) is None


async def test_one_that_is_given_back_leaves_its_neighbours_their_answers() -> None:
    """Of three in one run the one outside the envelope goes the general way, and the others are answered."""
    async with answering(CARD + "[policy.envelope.x]\nmaximum = 4.0\n") as stand:
        several = [send(stand, body(row)) for row in (ROW, OTHER, ROW)]
        assert all(map(stand.express.take, several))
        for sent in several:
            await sent.done.wait()
        recorded = [entry for _, entry in entries(stand)]
    assert [sent.given_back is None for sent in several] == [True, False, True]
    assert [entry.input_digest for entry in recorded] == [recorded[0].input_digest] * 2


async def test_the_state_of_things_is_looked_at_anew_for_each_request() -> None:
    """A flag that is switched off, a halt and a revoked key each end the express way at once."""
    async with answering() as stand:
        assert stand.express.take(send(stand, body(ROW)))
        await stand.switch(on=False, model="m")
        assert not stand.express.take(send(stand, body(ROW)))
        await stand.switch(on=True, model="m")
        assert stand.express.take(send(stand, body(ROW)))
        live: LivePlan = stand.follower.live
        model = live.plan.model(stand.tenant_id, "m")
        assert model is not None
        live.admit({})
        assert not stand.express.take(send(stand, body(ROW)))
        await asyncio.sleep(0.05)


async def test_what_cannot_be_recorded_is_not_answered_here() -> None:
    """With the log closed each request of the turn is given back, for the general way to refuse."""
    async with answering() as stand:
        sent = send(stand, body(ROW))
        assert stand.express.take(sent)
        await stand.log.close()
        await sent.done.wait()
    assert sent.told is None
    assert sent.given_back is not None


async def test_texts_are_answered_alike() -> None:
    """A text classifier with its labels as texts and their probabilities."""
    texts = ["rather good", "ein gutes Stück \U0001f600", ""]
    tensor = {"name": "text", "shape": [3], "datatype": "BYTES", "data": texts}
    async with open_stand("m", text_classifier(), TEXT_CARD + UNAUDITED) as stand:
        await stand.switch(on=True, model="m")
        await compare(stand, json.dumps({"inputs": [tensor]}).encode())


async def test_every_datatype_is_answered_alike() -> None:
    """All of them in one request, each with its extremes."""
    extremes = {
        "BOOL": [True, False], "INT8": [-128, 127], "INT16": [-32768, 32767], "INT32": [-(2**31), 2**31 - 1],
        "INT64": [-(2**63), 2**63 - 1], "UINT8": [0, 255], "UINT16": [0, 65535], "UINT32": [0, 2**32 - 1],
        "UINT64": [0, 2**64 - 1], "FP16": [-65504.0, 0.1], "FP32": [0.1, -3e38], "FP64": [0.1, 1.7e308],
        "BYTES": ["é", ""],
    }  # fmt: skip
    async with answering(EVERY_CARD, every_datatype(columns=1)) as stand:
        live = stand.follower.live
        signature = live.live(next(iter(live.plan.models.values())).champion).session.signature
        inputs = [
            {"name": spec.name, "shape": [2, 1], "datatype": spec.datatype, "data": extremes[spec.datatype]}
            for spec in signature.inputs
        ]
        content = json.dumps({"inputs": inputs}).encode()
        await compare(stand, content)
        for wrong in ("INT8", "UINT64", "FP16"):
            beyond = [each | {"data": [0, 2**70]} if each["datatype"] == wrong else each for each in inputs]
            assert not stand.express.take(send(stand, json.dumps({"inputs": beyond}).encode())), wrong


async def test_a_model_whose_sizes_nobody_declares_is_never_plain() -> None:
    """Its requests take the general way."""
    async with answering(EVERY_CARD, every_datatype()) as stand:
        tensor = {"name": "in_FP32", "shape": [1, 1], "datatype": "FP32", "data": [0.5]}
        assert not stand.express.take(send(stand, json.dumps({"inputs": [tensor]}).encode()))


async def test_what_was_made_for_a_plan_goes_with_it() -> None:
    """So that no session stays open because somebody asked for its release once."""
    async with answering() as stand:
        assert stand.express.take(send(stand, body(ROW)))
        assert not stand.express.take(send(stand, body(ROW), target=b"/v2/models/n/infer"))
        live = stand.follower.live
        assert len(live.made) == 2
        await asyncio.sleep(0.05)
        live.retire()
        assert not live.made
