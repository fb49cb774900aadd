"""Counting, finding and sampling over what is sealed and what is open."""

import random
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.record.codec import encode
from gateway.record.entries import Decided, kind_of
from gateway.record.entries import Path as DecidedPath
from gateway.record.payloads import LocalObjects
from gateway.record.reader import unfold
from gateway.record.sealed import MemoryRegistry
from review.traffic.query import TrafficReader, Window
from review.traffic.seal import Sealer
from tests.integration.record.scene import committed, record
from tests.unit.record.samples import TENANT, decided, delivered, shadowed

PATHS: list[DecidedPath] = ["automated", "shadow", "review"]
NOON_US = 1_790_000_000_000_000
ELSEWHERE = UUID("01990000-0000-7000-8000-00000000000f")


def random_traffic(size: int) -> list[Decided]:
    """Decided predictions of two tenants, two models and all paths over an hour, some too large for one entry."""
    dice = random.Random(7)
    return [
        decided(
            at_us=NOON_US + dice.randrange(3_600_000_000),
            tenant=dice.choice([TENANT, TENANT, ELSEWHERE]),
            model=(model := dice.choice(["sentiment", "digits"])),
            release=f"{model}@{dice.randint(1, 3)}",
            path=(path := dice.choice(PATHS)),
            rule="below_threshold" if path == "review" else "automated",
            items=dice.choice([1, 1, 1, 4, 300]),
        )
        for _ in range(size)
    ]


@pytest.fixture
async def mixed(tmp_path: Path) -> tuple[TrafficReader, list[Decided]]:
    """Traffic of which one half is sealed and the other still open."""
    entries, registry, traffic = random_traffic(500), MemoryRegistry(), tmp_path / "traffic"
    await record(traffic, entries[:250])
    await record(traffic, [shadowed(entries[0].prediction), delivered(entries[0].prediction)], "gateway-2")
    await Sealer(traffic, registry, committed(traffic)).run()
    await record(traffic, entries[250:], "gateway-3")
    return TrafficReader(traffic, registry), entries


async def test_counts_equal_a_plain_count(mixed: tuple[TrafficReader, list[Decided]]) -> None:
    """Predictions, items and held items by model, release, path and rule are those that Python counts."""
    reader, entries = mixed
    since, until = NOON_US + 600_000_000, NOON_US + 3_000_000_000
    inside = [entry for entry in entries if entry.tenant == TENANT and since <= entry.at_us < until]
    plain = Counter((entry.model, entry.release, entry.path, entry.rule) for entry in inside)
    counts = await reader.counts(Window(tenant=TENANT, since_us=since, until_us=until))
    assert {(each.model, each.release, each.path, each.rule): each.predictions for each in counts} == plain
    assert sum(each.items for each in counts) == sum(len(entry.items) for entry in inside)
    assert sum(each.held for each in counts) == sum(entry.held_count for entry in inside)
    assert [(each.model, each.release) for each in counts] == sorted((each.model, each.release) for each in counts)


async def test_counts_of_one_model_by_one_dimension(mixed: tuple[TrafficReader, list[Decided]]) -> None:
    """Only what was grouped by is told, and only of the model that was asked for."""
    reader, entries = mixed
    counts = await reader.counts(Window(tenant=ELSEWHERE, model="digits"), by=("path",))
    plain = Counter(entry.path for entry in entries if entry.tenant == ELSEWHERE and entry.model == "digits")
    assert {each.path: each.predictions for each in counts} == plain
    assert {each.model for each in counts} == {None}


async def test_nothing_recorded_counts_as_nothing(tmp_path: Path) -> None:
    """An empty log has no counts, finds nothing and samples nothing."""
    reader = TrafficReader(tmp_path, MemoryRegistry())
    assert await reader.counts(Window(tenant=TENANT)) == ()
    assert await reader.counts(Window(tenant=TENANT), by=()) == ()
    assert await reader.find(new_id()) == ()
    assert (await reader.sample(Window(tenant=TENANT), 5, seed=1)).entries == ()


async def test_a_prediction_is_found_with_all_that_was_recorded_of_it(
    mixed: tuple[TrafficReader, list[Decided]], tmp_path: Path
) -> None:
    """Sealed or open, whole or folded, an entry comes back as it was written; a shadow run and a delivery with it."""
    reader, entries = mixed
    found = [recorded.entry for recorded in await reader.find(entries[0].prediction)]
    assert sorted(map(kind_of, found)) == ["decided", "delivered", "shadowed"]
    objects = LocalObjects(tmp_path / "objects")
    for entry in [*entries[1:5], *entries[-5:]]:
        (recorded,) = await reader.find(entry.prediction)
        assert await unfold(recorded.entry, objects) == entry
    assert await reader.find(new_id()) == ()


async def test_a_sample_is_known_by_its_probability_and_its_seed(mixed: tuple[TrafficReader, list[Decided]]) -> None:
    """The sample has the asked size, states the population and the probability, and the same seed draws it again."""
    reader, entries = mixed
    population = sum(entry.tenant == TENANT for entry in entries)
    sample = await reader.sample(Window(tenant=TENANT), 40, seed=1)
    assert (len(sample.entries), sample.population) == (40, population)
    assert sample.probability == 40 / population
    assert {entry.tenant for entry in sample.entries} == {TENANT}
    assert await reader.sample(Window(tenant=TENANT), 40, seed=1) == sample
    assert await reader.sample(Window(tenant=TENANT), 40, seed=2) != sample
    everybody = await reader.sample(Window(tenant=TENANT), 10_000, seed=1)
    assert (everybody.probability, len(everybody.entries)) == (1.0, population)


def test_the_traffic_of_the_tests_is_partly_folded() -> None:
    """The random traffic has entries above the limit, so that counting heads is proved as well."""
    assert any(len(encode(entry)) > 4096 for entry in random_traffic(500))
