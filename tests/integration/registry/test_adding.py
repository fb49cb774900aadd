"""Adding model files: what serves afterwards, and what is refused with nothing written."""

import asyncio

import pytest

from flags.definitions import state_from
from gateway.inference.errors import ProviderAbsent
from gateway.inference.refusals import AdmissionRefused
from gateway.registry.adding import Adding, ModelNameRefused, SignatureChanged, add, check_name
from gateway.registry.card import CardRefused
from gateway.store.flags import current_state
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.serves import ArtifactRow, ReleaseRow, ServingHistoryRow, VersionRow
from tests.integration.registry.scene import CARD, Scene
from tests.models import tempered, untrue_shape


async def test_the_first_file_founds_the_model_with_all_flags_off(both_scene: Scene) -> None:
    """The founding release serves at once, its absent reports are marked, and nothing answers without a person."""
    added = await both_scene.add()
    assert (added.release, added.version, added.founding) == ("numbers@1", 1, True)
    model = (await both_scene.plan()).models[both_scene.tenant_id, "numbers"]
    assert (model.champion.name, model.champion.artifact, model.previous) == ("numbers@1", added.artifact, None)
    assert await both_scene.artifacts.has(added.artifact)
    async with both_scene.ledger.reading() as r:
        state = state_from((await current_state(r)).body)
    assert {feature.name: feature.enabled for feature in state.features} == {
        "numbers.automated": False,
        "numbers.shadow": False,
        "numbers.candidate": False,
    }
    assert sorted(await both_scene.events()) == sorted(
        [
            ("version.added", "model:numbers"),
            ("release.founded", "model:numbers"),
            *(("flag.changed", f"flag:numbers.{kind}") for kind in ("automated", "shadow", "candidate")),
        ]
    )


@pytest.mark.parametrize(("axis", "joins"), [("0", True), ('"none"', False)])
async def test_requests_are_joined_where_items_lie_apart(scene: Scene, axis: str, joins: bool) -> None:
    """Admission saw that they do not mix; the card says whether the first axis counts them at all."""
    await scene.add(card=f"batch_axis = {axis}\n{CARD}")
    [served] = (await scene.plan()).models.values()
    assert served.champion.joins is joins


async def test_requests_with_an_input_for_all_their_items_are_not_joined(scene: Scene) -> None:
    """A scalar says something of its own request, and two requests may say different things."""
    await scene.add(model=tempered())
    [served] = (await scene.plan()).models.values()
    assert served.champion.signature is not None
    assert [spec.shape for spec in served.champion.signature.inputs] == [(-1, 4), ()]
    assert not served.champion.joins


async def test_the_plan_has_the_shapes_that_admission_saw(scene: Scene) -> None:
    """What a file declares untruly is not what callers are told."""
    card = CARD.replace("probabilities", "y")
    await scene.add(model=untrue_shape(), card=card)
    [served] = (await scene.plan()).models.values()
    assert served.champion.signature is not None
    assert served.champion.signature.outputs[0].shape == (-1, 3)


async def test_a_further_file_is_a_version_that_does_not_serve(both_scene: Scene) -> None:
    """The second file becomes version and release 2 under one artifact; the champion and the flags stay."""
    first = await both_scene.add()
    before = await both_scene.plan()
    second = await both_scene.add(card=CARD.replace("Which class?", "Which of the classes?"))
    assert (second.release, second.version, second.founding) == ("numbers@2", 2, False)
    after = await both_scene.plan()
    assert after.models == before.models
    assert (first.artifact, await both_scene.count(ArtifactRow)) == (second.artifact, 1)
    assert (await both_scene.count(ReleaseRow), await both_scene.count(ServingHistoryRow)) == (2, 1)


async def test_files_that_are_added_at_once_get_dense_numbers(both_scene: Scene) -> None:
    """Whoever adds at the same moment, one file founds the model and the versions are 1, 2, 3."""
    added = await asyncio.gather(*(both_scene.add() for _ in range(3)))
    assert sorted(each.version for each in added) == [1, 2, 3]
    assert [each.version for each in added if each.founding] == [1]


async def test_another_signature_is_refused(both_scene: Scene) -> None:
    """Callers rely on names, datatypes and shapes: a file that changes them is a model of its own."""
    await both_scene.add()
    with pytest.raises(SignatureChanged, match=r"the inputs were x FP32\[-1, 4\]"):
        await both_scene.add(features=5)
    assert await both_scene.count(VersionRow) == 1


async def test_what_is_refused_leaves_nothing_behind(scene: Scene) -> None:
    """A wrong card, a card of another model and a file that is none: no row, no event, no artifact."""
    with pytest.raises(CardRefused, match="answer: it is missing"):
        await scene.add(card=CARD.replace("[answer]", "[unanswer]"))
    with pytest.raises(CardRefused, match="'y' is no input of the model"):
        await scene.add(card=CARD.replace('input = "x"', 'input = "y"'))
    nothing = scene.folder / "nothing.onnx"
    nothing.write_bytes(b"not a model")
    adding = Adding(tenant_id=scene.tenant_id, name="numbers", file=nothing, card=CARD, by="worker")
    with pytest.raises(AdmissionRefused):
        await add(scene.ledger, scene.artifacts, adding)
    assert (await scene.count(VersionRow), await scene.count(EventRow)) == (0, 0)
    assert list(scene.artifacts.directory.digests()) == []


@pytest.mark.parametrize("name", ["stats", "repository", "", "Upper", "_a", "-a", "a" * 64, "a.b", "a/b", "ä", "a\n"])
def test_these_are_no_names_of_models(name: str) -> None:
    """A name must fit every path, flag and label that is made of it, and leave the protocol's own words alone."""
    with pytest.raises(ModelNameRefused):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "0", "sentiment", "loan-model_2", "a" * 63])
def test_these_are_names_of_models(name: str) -> None:
    """Letters, digits, dash and underscore, beginning with a letter or digit."""
    check_name(name)


async def test_a_model_that_this_machine_cannot_run_is_not_added(scene: Scene) -> None:
    """Its provider is named, nothing is written; the same file is taken where its card goes on without it."""
    with pytest.raises(ProviderAbsent):
        await scene.add(card=f'{CARD}\n[session]\nproviders = ["openvino"]')
    assert await scene.count(VersionRow) == 0
    await scene.add(card=f'{CARD}\n[session]\nproviders = ["openvino", "cpu"]')
    release = (await scene.plan()).models[scene.tenant_id, "numbers"].champion
    assert release.card.session.providers == ("openvino", "cpu")
