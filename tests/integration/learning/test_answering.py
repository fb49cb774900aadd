"""Single inputs as a release answers them: as a run over everything does, whatever their shape."""

from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np

from gateway.holding.payload import InputPayload, encode
from gateway.protocol.datatypes import Tensor
from gateway.record.objects import ObjectDirectory
from gateway.registry.card import Card
from review.learning.answering import HEAD_BYTES, Question, Reply, framed, serve
from tests.models import text_classifier
from tests.worlds import CARD

TEXTS = ("great, works well", "what a waste of money", "it is a cable")


def asked(folder: Path, card: Card, *tensors: Tensor, item: int = 1) -> list[Reply]:
    """What the text model says of an item of each of these inputs, asked one after the other."""
    kept = ObjectDirectory(folder).put(text_classifier())
    questions = [
        Question(
            artifacts=str(folder), artifact=kept.sha256, card=card, payload=encode(InputPayload(inputs={name: tensor})),
            item=item, items=len(TEXTS),
        )
        for name, tensor in (("text", tensor) for tensor in tensors)
    ]  # fmt: skip
    replies: list[bytes] = []
    serve(BytesIO(b"".join(map(framed, questions))), replies.append)
    return [msgspec.msgpack.decode(reply[HEAD_BYTES:], type=Reply) for reply in replies]


def test_each_item_has_its_own_answer(tmp_path: Path) -> None:
    """A text out of three is answered as it is alone, and a model that is open already answers the next question."""
    card = msgspec.structs.replace(CARD, batch_axis=0)
    together, alone = np.array(TEXTS, dtype=object), np.array([TEXTS[1]] * 3, dtype=object)
    second, same = asked(tmp_path, card, together, alone, item=2)
    assert second == same
    assert second.answer in ("negative", "neutral", "positive")


def test_what_does_not_fit_is_no_answer(tmp_path: Path) -> None:
    """Another datatype is no answer, and the next question is answered."""
    card = msgspec.structs.replace(CARD, batch_axis=0)
    numbers, texts = np.zeros(3, dtype=np.float32), np.array(TEXTS, dtype=object)
    wrong, right = asked(tmp_path, card, numbers, texts)
    assert (wrong.answer, wrong.fault) == (None, "")
    assert right.answer is not None


def test_a_release_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """It is said why, and the process goes on."""
    (kept, *_) = asked(tmp_path, CARD, np.array(TEXTS, dtype=object))
    assert kept.fault == ""
    question = Question(artifacts=str(tmp_path), artifact="0" * 64, card=CARD, payload=b"", item=1, items=1)
    replies: list[bytes] = []
    serve(BytesIO(framed(question)), replies.append)
    assert msgspec.msgpack.decode(replies[0][HEAD_BYTES:], type=Reply).fault
