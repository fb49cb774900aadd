"""Cards: what is read from TOML, and every fault of one at once."""

from pathlib import Path

import pytest

from gateway.registry.card import CARD_MAX_BYTES, CardRefused, parse_card, read_card

GOOD = """
guideline = "Judge the sentence."

[about]
owner = "Text team"
contact = "text@example.org"
intended_use = "Sorting reviews."
limitations = "English."

[[shown]]
input = "text"
kind = "text"

[answer]
output = "label"
confidence = "probabilities"
classes = ["bad", "good"]

[labels]
kind = "choice"
choices = [{ value = "bad", key = "1" }, { value = "good", key = "2" }]

[policy]
hold_below = 0.6
"""
ROOT = Path(__file__).parents[3]


def test_a_card_is_read_with_its_defaults() -> None:
    """What a card leaves out has the safe default."""
    card = parse_card(GOOD)
    assert (card.batch_axis, card.four_eyes, card.policy.fallback) == (0, False, "refuse")


def test_a_model_without_items_says_so_in_a_word() -> None:
    """`batch_axis = "none"` is how TOML says that a request is always one item."""
    assert parse_card('batch_axis = "none"\n' + GOOD).batch_axis is None


def test_a_card_is_taken_once_its_list_is_empty() -> None:
    """Each place that is still to confirm is a fault; an empty list is none."""
    card, faults = read_card('confirm = ["answer.classes", "policy"]\n' + GOOD)
    assert card is not None
    assert [fault.partition(":")[0] for fault in faults] == ["answer.classes", "policy"]
    assert read_card("confirm = []\n" + GOOD)[1] == ()


@pytest.mark.parametrize("model", ["sentiment", "digits", "loans"])
def test_the_cards_of_the_demo_are_right(model: str) -> None:
    """Every card that we hand out is taken, and says who owns each category of errors."""
    card, faults = read_card((ROOT / "demo" / "models" / model / "model.toml").read_text())
    assert card is not None
    assert (faults, card.labels.unowned) == ((), ())


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('owner = "Text team"', "", "about.owner: it is missing."),
        ('owner = "Text team"', 'owner = ""', "about.owner: it is empty."),
        ('owner = "Text team"', "owner = 3", "about.owner: Expected `str`, got `int`."),
        ('owner = "Text team"', 'ovner = "Text team"', "about.ovner: there is no such field"),
        ('kind = "text"', 'kind = "sound"', "shown[1].kind: Invalid enum value 'sound'."),
        ("hold_below = 0.6", "hold_below = 1.6", "policy.hold_below: Expected `float` <= 1.0."),
        ("hold_below = 0.6", "hold_belwo = 0.6", "policy.hold_belwo: there is no such field"),
        ("hold_below = 0.6", "wait_cap_s = 90", "policy.wait_cap_s: Expected `float` <= 50.0."),
        ("hold_below = 0.6", 'fallback = "safe_value"', "policy.safe_value is missing"),
        ("hold_below = 0.6", 'fallback = "provisional"', "policy.provisional_rules is empty"),
        ("hold_below = 0.6", 'provisional_rules = ["halted"]', "no outage may skip the person"),
        ("hold_below = 0.6", 'safe_value = "ugly"', "policy.safe_value: 'ugly' is not an answer here"),
        ("hold_below = 0.6", "audit_rate = 0.0", "policy.audit_rate_under_pressure is above policy.audit_rate."),
        ('classes = ["bad", "good"]', 'classes = ["bad", "nice"]', "answer.classes names 'nice'"),
        ('classes = ["bad", "good"]', 'takes = "argmax"', "answer.classes must give the class order"),
        (', { value = "good", key = "2" }', "", "labels.choices must list at least two choices."),
        ('value = "good"', 'value = "bad"', "labels.choices lists a value twice."),
        ('kind = "choice"', 'kind = "choice"\nowners.irony = "A"', "names 'irony', which is not among labels.reasons."),
        ('kind = "choice"', 'kind = "choice"\nowners.irony = ""', "labels.owners.irony: it is empty."),
        ('kind = "choice"', 'kind = "choice"\nowners.irony = 3', "labels.owners.irony: Expected `str`, got `int`."),
        ('key = "2"', 'key = "1"', "labels.choices gives one key to two choices."),
        ('guideline = "Judge the sentence."', 'guideline = ""', "guideline: it is empty."),
        ("[answer]", "[answer", "it is not TOML"),
        *(
            ("[policy]", f"[context.properties]\n{written}\n[policy]", told)
            for written, told in (
                ('tenant = { type = "text" }', "context.properties.tenant: this name has a meaning of its own"),
                ('review_wait_ms = { type = "number" }', "context.properties.review_wait_ms: this name has a meaning"),
                ('"a b" = { type = "text" }', "context.properties.a b: a name is a letter"),
                ('plan = { type = "colour" }', "context.properties.plan.type: Invalid enum value 'colour'."),
                ('plan = { type = "number", values = ["7"] }', "context.properties.plan.values: only a text has"),
                ('plan = { values = [""] }', "context.properties.plan.values: expected printable texts"),
                ("\n".join(f"p{n} = {{}}" for n in range(33)), "context.properties lists 33 properties"),
            )
        ),
        ("[labels]", "confirm = 3\n[labels]", "answer.confirm: there is no such field"),
    ],
)
def test_each_fault_is_told_with_its_place(written: str, instead: str, told: str) -> None:
    """A card that is wrong in one place says which place, and what was expected there."""
    assert written in GOOD
    faults = read_card(GOOD.replace(written, instead, 1))[1]
    assert any(told in fault for fault in faults), faults


def test_a_card_names_who_owns_which_errors() -> None:
    """What it names is kept, and what it leaves out is told; without categories there is nothing to own."""
    owned = 'kind = "choice"\nreasons = ["irony", "mixed"]\nowners.irony = "Linguists"'
    labels = parse_card(GOOD.replace('kind = "choice"', owned, 1)).labels
    assert (labels.owners, labels.unowned) == ({"irony": "Linguists"}, ("mixed",))
    assert parse_card(GOOD).labels.unowned == ()


def test_every_fault_is_told_at_once() -> None:
    """Somebody who fills in a card need not send it once for each mistake."""
    wrong = GOOD.replace('owner = "Text team"', "").replace("0.6", "7.0").replace('kind = "choice"', 'kind = "chance"')
    with pytest.raises(CardRefused) as refused:
        parse_card("nonsense = 1\n" + wrong)
    for place in ("nonsense", "about.owner", "policy.hold_below", "labels.kind"):
        assert f"{place}: " in str(refused.value)


def test_a_hostile_card_is_a_fault_too() -> None:
    """Neither size nor depth of a card does harm."""
    assert "larger than" in read_card("#" * (CARD_MAX_BYTES + 1))[1][0]
    assert read_card("x = " + "[" * 20_000)[0] is None
