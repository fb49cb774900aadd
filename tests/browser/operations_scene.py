"""A console with models that were really admitted, which others operate from elsewhere while a page looks on."""

from pathlib import Path

from gateway.record.entries import Path as DecidedPath
from gateway.record.payloads import LocalObjects
from gateway.registry.adding import Adding, add
from gateway.store.events import position_events
from gateway.times import SECOND_US, now_us
from review.actors import Actor
from review.flagging import flip
from review.halting import halt_model
from review.people.sessions import actor_of_person
from review.release.promotion import Promotion, promote
from review.release.trials import Opening, open_trial
from tests.browser.scene import Scene
from tests.integration.record.scene import record
from tests.integration.registry.scene import CARD
from tests.models import softmax
from tests.unit.record.samples import decided

OTHER = b"\x12\x05other"
"""The name of its producer, as protobuf appends a field."""
BY = "person:ada@example.org"


class Operated:
    """The scene, and what other operators do in it."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.artifacts = LocalObjects(folder / "artifacts")
        self._folder = folder

    def add(self, name: str, *, differs: bool = False, **policy: object) -> None:
        """Add a version of a model with this policy, of the same model file unless it differs."""
        self.scene.run(self._add(name, softmax() + (OTHER if differs else b""), policy))
        self.position()

    async def _add(self, name: str, model: bytes, policy: dict[str, object]) -> None:
        file = self._folder / "model.onnx"
        file.write_bytes(model)
        said = "".join(f"{key} = {value}\n" for key, value in policy.items())
        card = f"{CARD}\n[policy]\n{said}"
        adding = Adding(tenant_id=self.scene.world.tenant_id, name=name, file=file, card=card, by=BY)
        await add(self.scene.ledger, self.artifacts, adding)

    def promote(self, name: str, number: int, why: str) -> None:
        """Promote a release as another operator does, elsewhere."""
        self.scene.run(self._promote(name, number, why))
        self.position()

    async def _promote(self, name: str, number: int, why: str) -> None:
        asked = Promotion(number=number, why=why, force=True)
        await promote(self.scene.ledger, self.artifacts, await self._olga(), name, asked)

    def open_trial(self, name: str, number: int, why: str) -> None:
        """Put a release on trial as another operator does, elsewhere."""
        self.scene.run(self._open_trial(name, number, why))
        self.position()

    async def _open_trial(self, name: str, number: int, why: str) -> None:
        await open_trial(self.scene.ledger, self.artifacts, await self._olga(), name, Opening(number=number, why=why))

    def halt(self, name: str, why: str) -> None:
        """Halt a model as another operator does, elsewhere."""
        self.scene.run(self._halt(name, why))
        self.position()

    async def _halt(self, name: str, why: str) -> None:
        await halt_model(self.scene.ledger, await self._olga(), name, "review", why)

    def switch_on(self, flag: str, why: str) -> None:
        """Switch a flag on as another operator does, elsewhere."""
        self.scene.run(self._switch_on(flag, why))
        self.position()

    async def _switch_on(self, flag: str, why: str) -> None:
        await flip(self.scene.ledger, await self._olga(), flag, on=True, why=why)

    def answer(self, name: str, *, automated: int, review: int) -> None:
        """Answer so many requests a moment ago, as the traffic log keeps them."""
        paths: list[DecidedPath] = ["automated"] * automated + ["review"] * review
        tenant, at_us = self.scene.world.tenant_id, now_us() - SECOND_US
        entries = [decided(at_us=at_us, tenant=tenant, model=name, release=f"{name}@1", path=path) for path in paths]
        self.scene.run(record(self._folder / "traffic", entries))

    def position(self) -> None:
        """Give every event its position, as the worker does when the bell rings."""

        async def give() -> None:
            async with self.scene.ledger.writing() as w:
                await position_events(w)

        self.scene.run(give())

    async def _olga(self) -> Actor:
        async with self.scene.ledger.reading() as r:
            actor = await actor_of_person(r, self.scene.world.people["olga"])
        assert actor is not None
        return actor
