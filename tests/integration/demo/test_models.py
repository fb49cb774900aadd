"""The three models: what they are made of, how good they are, and that the ONNX file is the trained model."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from demo.data.archive import fetch_archive
from demo.data.reviews import SnippetSplit, load_snippets, split_snippets
from demo.home import HOME
from demo.items import snippet_item
from demo.models.build import Props, make_props
from demo.models.figures import predict
from demo.models.sentiment.train import fit
from demo.opening import opening_item
from gateway.registry.card import parse_card

TRAINING = """
import hashlib, sys
from pathlib import Path
from demo.data import images, loans, reviews
from demo.data.archive import fetch_archive
from demo.models.digits.train import train as digits
from demo.models.loans.train import train as applications
from demo.models.sentiment.train import train as sentences

archive = fetch_archive(Path(sys.argv[1]) / "data")
for model in (
    sentences(reviews.split_snippets(reviews.load_snippets(archive))),
    digits(images.split_images(images.load_images())),
    applications(loans.split_applications(loans.load_applications())),
):
    print(hashlib.sha256(model).hexdigest())
"""


@pytest.fixture(scope="session")
def split() -> SnippetSplit:
    """The sentences in their two sides."""
    return split_snippets(load_snippets(fetch_archive(HOME / "data")))


def test_figures_are_those_that_the_readme_states(props: Props) -> None:
    """Each model is as good, and as doubtful, as its card and the README say."""
    found = {each.name: (each.figures.accuracy, each.figures.doubtful_share) for each in props.models}
    assert found["sentiment"] == pytest.approx((0.62, 0.38), abs=0.02)
    assert found["digits"] == pytest.approx((0.965, 0.155), abs=0.02)
    assert found["loans"] == pytest.approx((0.926, 0.015), abs=0.02)


def test_doubtful_answers_are_worse_than_confident_ones(props: Props) -> None:
    """Holding by confidence is worth it: below 0.6 every model is right less often than above."""
    for model in props.models:
        doubtful, confident = model.figures.doubtful_accuracy, model.figures.confident_accuracy
        assert doubtful is not None
        assert confident is not None
        assert doubtful < confident - 0.1


@pytest.mark.parametrize("hash_seed", ["1", "2", "3"])
def test_training_gives_the_same_bytes_in_any_process(hash_seed: str, props: Props) -> None:
    """Whatever order Python gives to its sets, the three files come out as they lie in the cache."""
    command = [sys.executable, "-c", TRAINING, str(HOME)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    assert told == [hashlib.sha256(model.onnx.read_bytes()).hexdigest() for model in props.models]


def test_the_file_answers_as_the_trained_pipeline_does(split: SnippetSplit, props: Props) -> None:
    """ONNX and scikit-learn agree on every held-out sentence to four decimals of confidence."""
    pipeline = fit(split)
    expected = pipeline.predict_proba([each.text for each in split.held_out])
    found = predict(props.models[0].onnx.read_bytes(), [snippet_item(each) for each in split.held_out])
    assert np.abs(expected.max(axis=1) - [each.confidence for each in found]).max() < 1e-4


def test_no_held_out_sentence_was_seen_in_training(split: SnippetSplit) -> None:
    """The sides share no review and no wording, and only repeated wordings are missing from them."""
    train_side, held_out = split.train, split.held_out
    assert not {each.review for each in train_side} & {each.review for each in held_out}
    assert not {each.text.casefold() for each in train_side} & {each.text.casefold() for each in held_out}
    assert 3_690 <= len(train_side) + len(held_out) <= 3_708


def test_a_second_set_up_trains_nothing(props: Props, tmp_path: Path) -> None:
    """The models in the cache are taken as they are, down to the time that making them took."""
    assert [each.seconds for each in make_props(HOME).models] == [each.seconds for each in props.models]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_card_names_what_the_file_has(props: Props, index: int) -> None:
    """Every input and output that a card speaks of is in the graph, or is sent beside the tensors by the demo."""
    model = props.models[index]
    card = parse_card(model.card.read_text(encoding="utf-8"))
    session = ort.InferenceSession(model.onnx, providers=["CPUExecutionProvider"])
    inputs, outputs = ({each.name for each in side} for side in (session.get_inputs(), session.get_outputs()))
    item = props.held_out.items(model.name)[0]

    assert {each.name for each in item.inputs} == inputs
    assert {each.name for each in item.beside} == card.beside
    assert {each.input for each in card.shown} <= inputs | card.beside
    assert {each.output for each in card.outcome} == outputs
    assert {card.answer.output, card.answer.confidence} <= outputs
    named = {*card.policy.envelope, *(each.input for each in card.policy.field_rules)}
    assert named <= inputs
    assert {each.parameter for each in card.slices if each.parameter} == {each.name for each in item.facts}


def test_every_truth_is_an_answer_that_a_reviewer_can_give(props: Props) -> None:
    """Truths, classes and choices are the same words in every model."""
    for model in props.models:
        card = parse_card(model.card.read_text(encoding="utf-8"))
        truths = {item.truth for item in props.held_out.items(model.name)}
        assert truths == set(card.answer.classes) == {choice.value for choice in card.labels.choices}


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_class_order_of_a_card_is_that_of_the_file(props: Props, index: int) -> None:
    """The class that `label` says is the one with the largest probability, counted in the card's order."""
    model = props.models[index]
    classes = parse_card(model.card.read_text(encoding="utf-8")).answer.classes
    items = props.held_out.items(model.name)[:200]
    assert [each.largest for each in predict(model.onnx.read_bytes(), items)] == [
        classes.index(each.label) for each in predict(model.onnx.read_bytes(), items)
    ]


def test_the_first_caller_needs_a_person(props: Props) -> None:
    """The opening sentence is held out, below the threshold of the card, and the model has it wrong."""
    item = opening_item(props.held_out)
    (answer,) = predict(props.models[0].onnx.read_bytes(), [item])
    assert answer.confidence < parse_card(props.models[0].card.read_text(encoding="utf-8")).policy.hold_below
    assert (answer.label, item.truth) == ("positive", "negative")


def test_no_guideline_quotes_what_reviewers_are_asked(props: Props) -> None:
    """A reviewer is never shown an example that is itself among the held-out sentences."""
    guideline = parse_card(props.models[0].card.read_text(encoding="utf-8")).guideline
    quoted = re.findall(r'\*"(.+?)"\*', guideline)
    assert len(quoted) == 4
    assert not [text for text in quoted if any(text in each.text for each in props.held_out.snippets)]
