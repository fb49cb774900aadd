"""What differs between two releases, in plain lines."""

import msgspec

from review.release.difference import Documents, difference
from tests.plans import make_card, make_release


def test_each_part_that_differs_is_named_with_both_values() -> None:
    """Version, file, policy number by number, labels, guideline and overrides; what is alike is not mentioned."""
    card = make_card(guideline="Judge the words.\nNot the writer.")
    card = msgspec.structs.replace(card, labels=msgspec.structs.replace(card.labels, reasons=("irony",)))
    one = make_release(1, hold_below=0.6)
    other = msgspec.structs.replace(make_release(2, card=card, hold_below=0.7), guideline_sha256="h" * 64)
    found = difference(Documents(release=one), Documents(release=other, overrides={"audit_rate": 0.5}))
    assert (found.before, found.after) == ("sentiment@1", "sentiment@2")
    assert [each.sentence for each in found.changes] == [
        "version: 1 -> 2",
        f"model file: {one.artifact} -> {other.artifact}",
        "policy.hold_below: 0.6 -> 0.7",
        'labels.reasons: [] -> ["irony"]',
        "guideline: gggggggggggg -> hhhhhhhhhhhh",
        "overrides.audit_rate: – -> 0.5",
    ]
    assert found.guideline[:2] == ("--- guideline of sentiment@1", "+++ guideline of sentiment@2")
    assert found.guideline[3:] == (
        "-Judge the sentence as its writer meant it.", "+Judge the words.", "+Not the writer.",
    )  # fmt: skip


def test_a_release_beside_itself_differs_in_nothing() -> None:
    """No line at all."""
    same = Documents(release=make_release())
    assert difference(same, same).changes == difference(same, same).guideline == ()


def test_long_values_are_cut() -> None:
    """A policy with a thousand thresholds does not fill the screen."""
    many = {f"class-{number}": 0.5 for number in range(1000)}
    other = msgspec.structs.replace(make_release(1, hold_below_by_class=many))
    (change,) = difference(Documents(release=make_release()), Documents(release=other)).changes
    assert change.before == "{}"
    assert len(change.after) == 301
