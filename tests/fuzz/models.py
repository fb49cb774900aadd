"""The models that hostile requests are sent to: each echoes its inputs, whatever their datatypes and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from onnx import TensorProto, helper

from gateway.labels import LabelSchema
from gateway.plan import ModelPlan, QueuePlan, ReleasePlan
from gateway.policy import Policy
from gateway.registry.card import About, AnswerOutput, Card, Shown
from tests.models import FEEDABLE, build, node

TENANT = UUID(int=1)
POLICY = Policy(
    audit_rate=0.0,
    audit_rate_under_pressure=0.0,
    max_open_holds=0,
    overflow_sample=0.0,
    stale_after_s=1e9,
    capture=0.0,
)
"""Whatever would be held is refused: 503 queue-full, without a word to the ledger."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Echo:
    """A model by its inputs, each a datatype and a shape with -1 for any size."""

    name: str
    inputs: Mapping[str, tuple[str, Shape]]
    batched: bool = True
    display: bool = False
    not_finite: bool = False

    def onnx(self) -> bytes:
        """`y_NAME` for each input as it came, and `score` [n]: zero for each item."""
        first = next(iter(self.inputs))
        nodes = [node("Identity", name, f"y_{name}") for name in self.inputs]
        nodes += [node("Shape", first, "sizes", end=1), node("ConstantOfShape", "sizes", "zeros")]
        nodes += [node("Identity", "zeros", "score")]
        kinds = [(name, kind) for name, (kind, _) in self.inputs.items()]
        free = {name: _free(name, shape) for name, (_, shape) in self.inputs.items()}
        values = [helper.make_tensor_value_info(name, FEEDABLE[kind], free[name]) for name, kind in kinds]
        told = [helper.make_tensor_value_info(f"y_{name}", FEEDABLE[kind], free[name]) for name, kind in kinds]
        score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ("n",) if self.batched else ())
        return build(nodes, values, [*told, score]).SerializeToString()

    def plan(self) -> ModelPlan:
        """As the gateway serves it."""
        shown = (Shown(input=next(iter(self.inputs)), kind="json"),)
        if self.display:
            shown += (Shown(input="photo", kind="text", beside=True),)
        card = Card(
            about=About(owner="tests", contact="tests", intended_use="To be asked anything.", limitations="An echo."),
            batch_axis=0 if self.batched else None,
            shown=shown,
            answer=AnswerOutput(output="score", not_finite="null" if self.not_finite else "refuse"),
            labels=LabelSchema(kind="number"),
            guideline="None.",
            policy=POLICY,
        )
        release = ReleasePlan(
            id=uuid5(TENANT, self.name),
            name=f"{self.name}@1",
            number=1,
            version=1,
            artifact=self.name,
            card=card,
            policy=POLICY,
            policy_sha256="",
            label_schema_sha256="",
            guideline_sha256="",
            joins=self.batched,
        )
        queue = QueuePlan(id=UUID(int=3), revision_id=UUID(int=4), deadline_s=600.0, blind_share=0.0, capacity=None)
        return ModelPlan(
            id=uuid5(TENANT, f"model {self.name}"),
            tenant_id=TENANT,
            name=self.name,
            four_eyes=False,
            champion=release,
            previous=None,
            trial=None,
            halt=None,
            queue=queue,
            precedents={},
            open_holds=0,
        )


def _free(name: str, shape: Shape) -> tuple[int | str, ...]:
    """The shape as ONNX writes it: the batch is `n` for all, other free sizes are each their own."""
    return tuple(size if size >= 0 else ("n" if axis == 0 else f"{name}_{axis}") for axis, size in enumerate(shape))


MODELS = (
    Echo("floats", {"x": ("FP32", (-1, -1, -1))}, not_finite=True),
    Echo("rows", {"x": ("FP32", (-1, 4))}),
    Echo("wide", {"x": ("FP64", (-1, -1))}),
    Echo("halves", {"x": ("FP16", (-1, -1))}),
    Echo("whole", {"ids": ("INT64", (-1, -1))}),
    Echo("small", {"a": ("UINT8", (-1, 2)), "b": ("INT16", (-1,))}),
    Echo("large", {"a": ("UINT64", (-1,))}),
    Echo("texts", {"text": ("BYTES", (-1,))}, display=True),
    Echo("truths", {"b": ("BOOL", (-1, 3))}),
    Echo("table", {"income": ("FP32", (-1, 1)), "years": ("INT32", (-1, 1)), "for": ("BYTES", (-1, 1))}, display=True),
    Echo("scalars", {"s": ("FP32", ()), "i": ("INT8", ()), "t": ("BYTES", ())}, batched=False),
)  # fmt: skip
BY_NAME = {model.name: model for model in MODELS}
