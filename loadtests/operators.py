"""An operator as a locust user: makes a release, promotes it and rolls it back, while everybody calls the model."""

import os
from typing import Any

from locust import FastHttpUser, constant, task

KEY = {"Authorization": f"Bearer {os.environ['LOAD_OPERATOR']}"}
MODEL = "/api/v1/models/steady"
CARD = os.environ["LOAD_CARD"]


class Operator(FastHttpUser):
    """One person who changes what serves, once a second."""

    fixed_count = 1
    wait_time = constant(1.0)

    @task
    def promote_and_roll_back(self) -> None:
        """A release that only raises human control goes live at once, and is taken back."""
        made = self.send("/releases", {"card": CARD, "why": "load test"}, "make a release")
        if made is not None and self.send(f"/releases/{made['release']}/promotion", {"why": "load test"}, "promote"):
            self.send("/rollback", {"why": "load test"}, "roll back")

    def send(self, path: str, body: dict[str, str], name: str) -> dict[str, Any] | None:
        """What the server answered; None where it refused, which locust counts."""
        with self.client.post(MODEL + path, json=body, headers=KEY, name=name, catch_response=True) as answer:
            if not answer.ok:
                answer.failure(f"{answer.status_code}: {(answer.text or '')[:200]}")
                return None
            told: dict[str, Any] = answer.json()
            return told
