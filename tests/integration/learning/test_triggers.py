"""A trigger on both databases: after so many new corrections the worker freezes and asks for a training, once."""

from pathlib import Path

from review.learning.datasets import Places
from review.learning.recipes import declare_recipe, set_trigger, show_training
from review.learning.trainings import list_jobs
from review.learning.triggers import Triggers
from review.store.datasets import datasets_of
from tests.integration.learning.conftest import MODEL, Learning
from tests.integration.learning.recipes import LEARN, write_recipe
from tests.integration.release.scene import operator_of
from tests.outcomes import Settled, numbers


async def test_after_so_many_corrections_a_training_is_asked_for_once(learning: Learning, tmp_path: Path) -> None:
    """Corrections count since the latest dataset; approvals do not, and nothing happens while the trigger is off."""
    ledger, recipes, operator = learning.ledger, tmp_path / "recipes", operator_of(learning.scene.tenant_id)
    write_recipe(recipes, "learn", LEARN)
    await declare_recipe(ledger, recipes, operator, MODEL, "learn")
    places = Places(payloads_url=str(learning.where.objects), artifacts=learning.scene.artifacts)
    triggers = Triggers(ledger, places)
    await learning.many(40)  # ten of them are corrections
    assert await triggers.run() == 0
    await set_trigger(ledger, recipes, operator, MODEL, 11)
    assert await triggers.run() == 0
    await learning.settle(Settled(inputs=numbers((1, 2, 3, 4)), answers=("a",), said=("b",)))
    async with ledger.reading() as r:
        assert (await show_training(r, recipes, learning.scene.tenant_id, MODEL)).new_corrections == 11
    assert [await triggers.run(), await triggers.run()] == [1, 0]
    async with ledger.reading() as r:
        (job,) = await list_jobs(r, learning.scene.tenant_id, MODEL)
        (dataset,) = await datasets_of(r, learning.where.model_id)
        shown = await show_training(r, recipes, learning.scene.tenant_id, MODEL)
    assert (job.dataset, job.by, job.state) == (dataset.sha256, "worker", "waiting")
    assert job.why == "11 new corrections; it is retrained after 11."
    assert (shown.new_corrections, shown.after_corrections) == (0, 11)
    assert await Triggers(ledger, places).run() == 0
    types = [event for event, _ in await learning.scene.events() if event.startswith(("training", "dataset"))]
    assert types == ["training.trigger_set", "dataset.frozen", "training.asked"]
