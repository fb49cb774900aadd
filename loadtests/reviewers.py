"""Reviewers as locust users: each claims the next case, looks at it for a moment and judges it."""

import os
import random
from itertools import count
from typing import Any

from locust import FastHttpUser, task

KEYS = os.environ["LOAD_REVIEWERS"].split(",")
MEAN_LOOK_S = 0.3
NOTHING_TO_DO_S = 0.1
CLAIM_LOST = 409
_next_reviewer, _next_post = count(), count()


class Reviewer(FastHttpUser):
    """A person who works through the queue."""

    fixed_count = len(KEYS)

    def on_start(self) -> None:
        """Sign in as one of the reviewers."""
        self.key = {"Authorization": f"Bearer {KEYS[next(_next_reviewer) % len(KEYS)]}"}
        self.found_nothing = False

    def wait_time(self) -> float:
        """How long the case is looked at, or how long until the queue is looked at again."""
        return NOTHING_TO_DO_S if self.found_nothing else random.expovariate(1 / MEAN_LOOK_S)

    @task
    def judge_next(self) -> None:
        """Claim one case and approve what the model said; somebody else may be quicker, and that is no failure."""
        with self.client.post(
            "/api/v1/claims/", json={"count": 1}, headers=self.key, name="claim", catch_response=True
        ) as answer:
            claims: list[dict[str, Any]] = answer.json() if answer.ok else []
        self.found_nothing = not claims
        for claim in claims:
            self.judge(claim)

    def judge(self, claim: dict[str, Any]) -> None:
        """Post the verdict."""
        said = {"kind": "approve", "token": claim["token"], "post_key": f"load-{os.getpid()}-{next(_next_post)}"}
        with self.client.post(
            f"/api/v1/claims/{claim['id']}/verdict", json=said, headers=self.key, name="verdict", catch_response=True
        ) as answer:
            if answer.status_code == CLAIM_LOST:
                answer.success()
