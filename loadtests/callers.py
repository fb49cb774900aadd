"""Services as locust users: arrivals in a Poisson process, two models mixed, a share of them asking not to wait."""

import os
import random
from itertools import count

from locust import FastHttpUser, task

KEY = {"Authorization": f"Bearer {os.environ['LOAD_CALLER']}"}
MEAN_PAUSE_S = 0.2
ANSWERED, HELD, NOT_IN_TIME = 200, 202, 503
_numbers = count(1)


class Caller(FastHttpUser):
    """A service that asks for one prediction at a time and thinks for an exponential time between them."""

    connection_timeout = 10.0
    network_timeout = 60.0

    def wait_time(self) -> float:
        """The pause before the next request."""
        return random.expovariate(1 / MEAN_PAUSE_S)

    @task(8)
    def ask_steady(self) -> None:
        """A prediction that the model answers by itself, whatever the operator does meanwhile."""
        self.predict("steady", 30.0, "answered by the model")

    @task(1)
    def ask_doubtful(self) -> None:
        """A prediction that waits for a person."""
        self.predict("doubtful", 1.0, "answered by a person")

    @task(1)
    def ask_without_waiting(self) -> None:
        """A prediction that is put before a person while its caller goes on."""
        self.predict("doubtful", 1.0, "held, not waited for", {"Prefer": "respond-async"})

    def predict(self, model: str, total: float, name: str, headers: dict[str, str] | None = None) -> None:
        """Send numbers that were never sent before; an answer without outputs that is no hold is a failure."""
        number = float(next(_numbers)) + random.random()
        data = [number, total, -number, 0.0]
        body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": data}]}
        with self.client.post(
            f"/v2/models/{model}/infer", json=body, headers=KEY | (headers or {}), name=name, catch_response=True
        ) as answer:
            if answer.status_code == HELD or (answer.status_code == ANSWERED and answer.json().get("outputs")):
                answer.success()
            elif answer.status_code == NOT_IN_TIME and answer.headers.get("Location"):
                answer.failure("nobody judged in time")
            else:
                answer.failure(f"{answer.status_code}: {(answer.text or '')[:200]}")
