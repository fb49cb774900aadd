"""After each freeze the champion is evaluated by itself, so that a candidate has something to be compared with."""

from pathlib import Path

import structlog

from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.learning.errors import LearningError
from review.learning.evaluations import Places, evaluate_in_child
from review.learning.manifest import read_manifest
from review.store.evaluations import Fresh, any_fresh, fresh_datasets

log = structlog.get_logger()


class FreshDatasets:
    """Evaluates champions on datasets that are new; what cannot be evaluated is tried once by a worker."""

    def __init__(self, ledger: Ledger, artifacts: Path, upstreams: AllowedUpstreams | None = None) -> None:
        self._ledger = ledger
        self._places = Places(artifacts=LocalObjects(artifacts), upstreams=upstreams or AllowedUpstreams())
        self._given_up: set[tuple[str, str]] = set()

    async def run(self) -> int:
        """Evaluate every champion on its model's newest dataset; returns how many were evaluated."""
        if not await any_fresh(self._ledger):
            return 0
        async with self._ledger.reading() as r:
            fresh = await fresh_datasets(r)
        return sum([await self._evaluate(each) for each in fresh])

    async def _evaluate(self, fresh: Fresh) -> bool:
        key = (fresh.release, fresh.dataset)
        if key in self._given_up or not read_manifest(fresh.manifest).splits["held_out"]:
            return False
        try:
            await evaluate_in_child(self._ledger, self._places, fresh.tenant_id, "worker", fresh.release, fresh.dataset)
        except LearningError as error:
            self._given_up.add(key)
            log.warning("champion_not_evaluated", release=fresh.release, dataset=fresh.dataset, why=str(error))
            return False
        return True
