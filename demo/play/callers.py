"""The callers: services that send one held-out item each and wait for their answer as a stock client does."""

import time
from collections.abc import Mapping

import httpx
import msgspec

from demo.items import Item
from demo.play.product import Prediction

NO_WAIT = frozenset({"loans"})
"""Models whose callers ask not to wait: an application may take a day."""
OK, HELD, UNANSWERABLE = 200, 202, 422


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one caller was told in the end, and when it arrived; `times` is how often it had to ask."""

    item: Item
    status: int
    arrived_us: int
    times: int = 1
    prediction_id: str = ""
    path: str = ""
    rule: str = ""
    release: str = ""
    """Which release answered, such as `sentiment@2`."""
    review_status: str = ""
    answer: str | None = None
    said: str = ""
    """The error, where there is one."""

    @property
    def failed(self) -> bool:
        """Whether it got neither an answer, nor a person's word that there is none, nor the address of its hold."""
        return self.status not in (OK, HELD, UNANSWERABLE)

    @property
    def held(self) -> bool:
        """Whether it was put before people."""
        return self.path == "review"

    @property
    def held_by_flag(self) -> bool:
        """Whether nothing but the flag that was off put it before people."""
        return self.rule == "review_on"

    @property
    def errs(self) -> bool:
        """Whether it was told something else than the truth."""
        return self.answer is not None and self.answer != self.item.truth


class Callers:
    """All callers of the demo: one service with one key."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    async def ask(self, item: Item) -> Told:
        """What the caller is told in the end: one that is told to come again does, and joins its hold."""
        headers = {**self._headers, **({"prefer": "respond-async"} if item.model in NO_WAIT else {})}
        times = 0
        while True:
            times += 1
            told = await self._ask_once(item, headers)
            if not told.failed or not told.prediction_id:
                return msgspec.structs.replace(told, times=times)

    async def look_up(self, prediction_id: str) -> tuple[int, Prediction]:
        """The latest truth of a prediction, as its caller may ask for it at any time."""
        answer = await self._http.get(f"/v2/predictions/{prediction_id}", headers=self._headers)
        return answer.status_code, _decoded(answer)

    async def _ask_once(self, item: Item, headers: Mapping[str, str]) -> Told:
        try:
            answer = await self._http.post(f"/v2/models/{item.model}/infer", content=body_of(item), headers=headers)
        except httpx.HTTPError as error:
            return Told(item=item, status=0, arrived_us=now_us(), said=f"{type(error).__name__}: {error}")
        return _told(item, answer, now_us())


def body_of(item: Item) -> bytes:
    """The request: the tensors, those sent beside them for people, and facts that no model sees."""
    return msgspec.json.encode(
        {
            "id": item.key,
            "inputs": [*item.inputs, *item.beside],
            "parameters": {fact.name: fact.value for fact in item.facts},
        }
    )


def _told(item: Item, answer: httpx.Response, arrived_us: int) -> Told:
    body = _decoded(answer)
    return Told(
        item=item,
        status=answer.status_code,
        arrived_us=arrived_us,
        prediction_id=body.said("prediction_id") or _id_in(answer.headers.get("location", "")),
        path=body.said("path"),
        rule=body.said("rule"),
        release=body.said("release"),
        review_status=body.said("review_status"),
        answer=body.label,
        said=body.error,
    )


def _id_in(location: str) -> str:
    """The prediction that a fallback names; nothing where the answer was no fallback."""
    return location.rpartition("/")[2]


def _decoded(answer: httpx.Response) -> Prediction:
    try:
        return msgspec.json.decode(answer.content, type=Prediction)
    except msgspec.MsgspecError:
        return Prediction(error=answer.text[:200])


def now_us() -> int:
    return time.time_ns() // 1000
