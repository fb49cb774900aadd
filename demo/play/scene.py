"""What every act works with: the items, what the models say of them alone, the people, and the notebook."""

from collections.abc import Iterator, Mapping
from itertools import cycle
from random import Random

import httpx
import msgspec

from demo.items import Item
from demo.models.build import BuiltModel, Props
from demo.models.figures import DOUBTFUL_BELOW, Prediction, predict
from demo.opening import opening_item
from demo.play.callers import Callers, Told
from demo.play.desk import Seat
from demo.play.door import Door
from demo.play.founding import Cast
from demo.play.notebook import Notebook
from demo.play.product import Api
from demo.play.screen import Screen
from demo.raters import ReplayedRaters

SHORT = 60
"""How many characters a sentence to open with has at most."""
MIX: Mapping[str, int] = {"sentiment": 7, "digits": 2, "loans": 1}
"""Of ten requests so many go to each model."""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent in a play: held-out items only, in an order that depends on the number of the play alone."""

    items: Mapping[str, tuple[Item, ...]]
    alone: Mapping[str, Prediction]
    """What the models say by themselves, by the item's key."""
    openings: tuple[Item, ...]
    """Sentences to open with: doubtful to the model, and answered wrongly by it."""
    play: int

    @property
    def labels(self) -> Mapping[str, str]:
        """The models' own answers, by the item's key."""
        return {key: said.label for key, said in self.alone.items()}

    @property
    def opening(self) -> Item:
        """The sentence of the first caller, another one each time the play goes on with the same data."""
        return self.openings[self.play % len(self.openings)]

    def next_ten(self) -> list[Item]:
        """Ten sentences of which the model is sure, so that nothing but the flag can hold them."""
        sure = [item for item in self._shuffled("sentiment") if self.alone[item.key].confidence >= DOUBTFUL_BELOW]
        return sure[:10]

    def traffic(self) -> Iterator[Item]:
        """Requests without an end, each model's items in turn; the ten and the opening are not among the first."""
        before = {item.key for item in (*self.next_ten(), self.opening)}
        streams = {
            model: cycle([item for item in self._shuffled(model) if item.key not in before]) for model in self.items
        }
        models, weights = list(MIX), list(MIX.values())
        random = Random(f"mix {self.play}")  # noqa: S311 - a play must be the same each time
        while True:
            yield next(streams[random.choices(models, weights)[0]])

    def _shuffled(self, model: str) -> list[Item]:
        items = list(self.items[model])
        Random(f"{model} {self.play}").shuffle(items)  # noqa: S311 - as above
        return items


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an act needs."""

    screen: Screen
    script: Script
    models: tuple[BuiltModel, ...]
    cast: Cast
    callers: Callers
    seats: tuple[Seat, ...]
    door: Door
    notebook: Notebook
    you: Api
    """The API as you, who may judge, lead and operate."""

    async def ask(self, item: Item) -> Told:
        """One caller, from the request to the answer."""
        self.notebook.sent += 1
        told = await self.callers.ask(item)
        self.notebook.told.append(told)
        return told


def write_script(props: Props, play: int) -> Script:
    """The script of the play with this number."""
    items = {model.name: props.held_out.items(model.name) for model in props.models}
    alone: dict[str, Prediction] = {}
    for model in props.models:
        said = predict(model.onnx.read_bytes(), items[model.name])
        alone.update(zip((item.key for item in items[model.name]), said, strict=True))
    first = opening_item(props.held_out)
    doubted = [item for item in items["sentiment"] if _doubted(item, alone[item.key]) and item.key != first.key]
    return Script(items=items, alone=alone, openings=(first, *doubted), play=play)


def _doubted(item: Item, said: Prediction) -> bool:
    """Whether the model would be wrong about it, is not sure, and a person sees at a glance what is right."""
    text = str(item.inputs[0].data[0])
    return (
        len(text) <= SHORT and said.confidence < DOUBTFUL_BELOW and said.label != item.truth and item.truth != "neutral"
    )


def take_seats(http: httpx.AsyncClient, cast: Cast, props: Props, notebook: Notebook) -> tuple[Seat, ...]:
    """The replayed raters, who share one stock of ratings so that none is used twice."""
    raters = ReplayedRaters(props.held_out.snippets, seed=cast.plays)
    return tuple(Seat(Api(http, member.key), number, raters, notebook) for number, member in enumerate(cast.raters))
