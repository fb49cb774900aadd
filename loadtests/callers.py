"""Callers of one model, as locust users: arrivals in a Poisson process, a share of them asking not to wait."""

import os
import random

from locust import FastHttpUser, task
from locust.exception import StopUser

MODEL = os.environ["LOAD_MODEL"]
KEY = {"Authorization": f"Bearer {os.environ['LOAD_KEY']}"}
FEATURES = 4
MEAN_PAUSE_S = 0.2
ANSWERED, HELD = 200, 202


class Caller(FastHttpUser):
    """A service that asks for one prediction at a time and thinks for an exponential time between them."""

    connection_timeout = 10.0
    network_timeout = 60.0

    def wait_time(self) -> float:
        """The pause before the next request."""
        return random.expovariate(1 / MEAN_PAUSE_S)

    def on_start(self) -> None:
        """Leave when the model does not answer this key at all."""
        with self.client.get(f"/v2/models/{MODEL}/ready", headers=KEY, name="ready", catch_response=True) as answer:
            if answer.status_code != ANSWERED:
                answer.failure(f"not ready: {answer.text}")
                raise StopUser

    @task(9)
    def ask(self) -> None:
        """A prediction, as a stock client asks for it."""
        self.predict({}, "infer")

    @task(1)
    def ask_without_waiting(self) -> None:
        """A prediction whose hold, if there is one, is looked up later."""
        self.predict({"Prefer": "respond-async"}, "infer, respond-async")

    def predict(self, headers: dict[str, str], name: str) -> None:
        """Send one request; an answer without outputs that is not a hold is a failure."""
        numbers = [random.uniform(-2, 2) for _ in range(FEATURES)]
        body = {"inputs": [{"name": "x", "shape": [1, FEATURES], "datatype": "FP32", "data": numbers}]}
        with self.client.post(
            f"/v2/models/{MODEL}/infer",
            json=body,
            headers=KEY | headers,
            name=name,
            catch_response=True,
        ) as answer:
            if answer.status_code == HELD:
                answer.success()
            elif answer.status_code != ANSWERED:
                answer.failure(f"{answer.status_code}: {answer.text[:200]}")
            elif not answer.json().get("outputs"):
                answer.failure("an answer without outputs")
