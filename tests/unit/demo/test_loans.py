"""Mortgage applications: what is an input, what is not, and the words that a reviewer reads."""

from demo.data.loan_words import application_words
from demo.data.loans import AMOUNTS, CODES, Application, load_applications, split_applications
from demo.items import Fact, application_item

APPLICATION = Application(
    key="a",
    amounts=(36.0, 66.5, 0.6, 24.0, 37.0, -158.0, 3.1),
    codes=(1, 3, 6, 1, 0, 0, 1),
    decision="refuse",
    race="black",
)
PROTECTED = {"black", "hispan", "white", "min30", "male", "married", "old", "dep"}
DECIDED = {"action", "approve", "reject", "typur", "inson", "review"}


def test_race_and_its_like_are_no_inputs() -> None:
    """No column about race, sex, marriage, age, family or the decision itself is among the inputs."""
    assert not (PROTECTED | DECIDED) & {*AMOUNTS.values(), *CODES.values()}


def test_race_travels_as_a_fact_and_nowhere_else() -> None:
    """The request carries race beside the tensors; no tensor and no word shown to people holds it."""
    item = application_item(APPLICATION)
    assert item.facts == (Fact(name="race", value="black"),)
    assert "black" not in str((item.inputs, item.beside))


def test_every_input_is_a_tensor_of_one_item() -> None:
    """Fourteen named inputs of two datatypes, each [1, 1]."""
    inputs = application_item(APPLICATION).inputs
    assert [each.name for each in inputs] == [*AMOUNTS, *CODES]
    assert {(each.datatype, each.shape) for each in inputs} == {("FP32", (1, 1)), ("INT64", (1, 1))}


def test_reviewers_read_units_and_words() -> None:
    """Amounts have units, codes are words, in the order of the inputs."""
    assert application_words(APPLICATION) == (
        "$36,000 a year",
        "$66,500",
        "60 %",
        "24 %",
        "37 %",
        "−$158,000",
        "3.1 %",
        "yes",
        "one or two late",
        "90 days past due",
        "yes",
        "no",
        "no",
        "yes",
    )


def test_every_application_of_the_set_can_be_read_out() -> None:
    """No code of the set is without a word, and what is unknown was left out."""
    applications = load_applications()
    assert len(applications) == 1_987
    assert all(len(application_words(each)) == len(AMOUNTS) + len(CODES) for each in applications)


def test_no_application_lies_on_both_sides() -> None:
    """Held-out applications and training ones differ in their inputs, and together they are all."""
    applications = load_applications()
    split = split_applications(applications)
    train, held_out = ({(each.amounts, each.codes) for each in side} for side in (split.train, split.held_out))
    assert not train & held_out
    assert len(split.train) + len(split.held_out) == len(applications)
