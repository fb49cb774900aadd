"""Model files that mean harm are refused in words by a child process, and whoever asked is none the worse for it."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from gateway.inference import refusals
from gateway.inference.admission import admit
from gateway.inference.inspect import inspect
from gateway.inference.report import AdmissionLimits
from tests import hostile_models as hostile
from tests import models
from tests.integration.inference.test_admission import admitted

MIB = 1 << 20
LIMITS = AdmissionLimits(memory_max_bytes=1024 * MIB, wall_s=60, cpu_s=30)
Made = Callable[[], bytes]

READ: list[tuple[str, Made, type[refusals.AdmissionRefused]]] = [
    ("a graph without end", hostile.nested, refusals.NotOnnx),
    ("two gigabytes that are not there", hostile.said_to_be_long, refusals.NotOnnx),
    ("a length beyond counting", partial(hostile.said_to_be_long, 2**63), refusals.NotOnnx),
    ("a zip file", hostile.archive, refusals.NotOnnx),
    ("an own operator", models.unknown_domain, refusals.UnknownDomain),
    ("a billion laughs", hostile.laughs, refusals.TooManyNodes),
    ("a large function, often", hostile.crowded_function, refusals.TooManyNodes),
    ("a function that calls itself", hostile.endless_function, refusals.NotRunnable),
    ("an input beyond any request", partial(hostile.with_input, 2**62), refusals.OversizedInput),
    ("its product beyond any request", partial(hostile.with_input, *[2**20] * 4), refusals.OversizedInput),
    ("its product behind a zero", partial(hostile.with_input, 0, 2**40), refusals.OversizedInput),
    ("a thousand dimensions", partial(hostile.with_input, *[1] * 1000), refusals.OversizedInput),
    ("weights elsewhere, upwards", partial(models.external_data, "../../etc/passwd"), refusals.ExternalData),
    ("weights elsewhere, absolute", partial(models.external_data, "/etc/passwd"), refusals.ExternalData),
    ("weights on a device", partial(models.external_data, "/dev/zero"), refusals.ExternalData),
    ("weights elsewhere, in a branch", models.external_data_in_subgraph, refusals.ExternalData),
]
RUN: list[tuple[str, Made, type[refusals.AdmissionRefused]]] = [
    ("a cycle", hostile.cycle, refusals.NotRunnable),
    ("a tensor made twice", hostile.two_makers, refusals.NotRunnable),
    ("a constant of terabytes", hostile.terabytes, refusals.OutOfMemory),
    ("a constant of less than nothing", partial(hostile.terabytes, -5), refusals.NotRunnable),
    ("weights that are not there", partial(hostile.lying, 2**40), refusals.NotRunnable),
    ("weights beyond counting", partial(hostile.lying, 2**31, 2**31, 4), refusals.NotRunnable),
    ("weights of a negative size", partial(hostile.lying, -4), refusals.NotRunnable),
    ("labels that are not there", hostile.lying_labels, refusals.NotRunnable),
]


@pytest.mark.parametrize(("made", "kind"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_what_can_be_seen_without_running_it_is_refused_before(
    made: Made, kind: type[refusals.AdmissionRefused]
) -> None:
    """Nothing of such a file ever reaches the runtime."""
    with pytest.raises(refusals.AdmissionRefused) as refused:
        inspect(made())
    assert type(refused.value) is kind


async def test_no_file_harms_whoever_asks(tmp_path: Path) -> None:
    """What only the runtime can see ends in its child, in words: no process is left, no memory taken, nobody waits."""
    this = psutil.Process()
    before, turns, done = this.memory_info().rss, 0, asyncio.Event()
    children = {child.pid for child in this.children(recursive=True)}

    async def go_on() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0.01)

    going_on = asyncio.create_task(go_on())
    found = {name: await refusal_of(tmp_path, made()) for name, made, _ in [*RUN, READ[0], READ[5]]}
    done.set()
    await going_on
    assert found == {name: kind for name, _, kind in [*RUN, READ[0], READ[5]]}
    assert turns > len(found)
    assert {child.pid for child in this.children(recursive=True)} <= children
    assert this.memory_info().rss - before < 64 * MIB


async def refusal_of(folder: Path, file: bytes) -> type[refusals.AdmissionRefused]:
    """Why a file is refused."""
    with pytest.raises(refusals.AdmissionRefused, match=r"\.$") as refused:
        await admitted(folder, file, LIMITS)
    return type(refused.value)


async def test_texts_that_are_none_do_no_harm(tmp_path: Path) -> None:
    """A constant that is no text, or a megabyte of it, is the model's own affair: it is served, and names no class."""
    assert (await admitted(tmp_path, hostile.strange_texts(), LIMITS)).class_labels == ()


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
async def test_a_link_beside_the_model_is_not_followed(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    """Weights in a file beside the model are refused, whatever that file is."""
    (tmp_path / "secret").write_bytes(bytes(48))
    link(tmp_path / "secret", tmp_path / "weights.bin")
    with pytest.raises(refusals.ExternalData):
        inspect(models.external_data("weights.bin"))


async def test_a_model_that_is_no_file_is_refused_unread(tmp_path: Path) -> None:
    """A folder, a pipe and a device are no models, and nobody waits for what they might hold."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "zero"):
        with pytest.raises(refusals.NotOnnx):
            await admit(path, LIMITS)
