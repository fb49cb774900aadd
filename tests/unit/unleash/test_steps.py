"""What is missing of a flag in Unleash: a table of what is found there."""

import pytest

from flags.unleash.admin import ShownEnvironment, ShownFeature, ShownStrategy, Tag
from flags.unleash.place import Place, address_of
from review.unleash.steps import steps_of, tags_of

FLAG = "sentiment.automated"
TAGS = tags_of(FLAG)
ROLLED = ShownStrategy(name="flexibleRollout", parameters={"rollout": "5"})


def shown(*strategies: ShownStrategy, environment: str = "development", enabled: bool = False) -> ShownFeature:
    """A flag with these strategies in an environment, and none in another."""
    return ShownFeature(
        name=FLAG,
        environments=(
            ShownEnvironment(name=environment, enabled=enabled, strategies=strategies),
            ShownEnvironment(name="elsewhere", enabled=True),
        ),
    )


@pytest.mark.parametrize(
    ("word", "found", "tags", "does"),
    [
        ("nothing there", None, (), ["create", "tag", "tag", "strategy"]),
        ("all there", shown(ROLLED), TAGS, []),
        ("its owner's tags too", shown(ROLLED), (*TAGS, Tag(type="team", value="shop")), []),
        ("on, and rolled out", shown(ROLLED, ROLLED, enabled=True), TAGS, []),
        ("made halfway", shown(), TAGS[:1], ["tag", "strategy"]),
        ("in another environment", shown(ROLLED, environment="production"), TAGS, ["strategy"]),
    ],
)
def test_what_is_missing(word: str, found: ShownFeature | None, tags: tuple[Tag, ...], does: list[str]) -> None:
    """What is there stays, whatever it says; what is missing is named, in the order in which it is done."""
    assert [step.does for step in steps_of(FLAG, found, tags, "development")] == does


def test_a_tag_is_no_longer_than_unleash_takes() -> None:
    """The name of a model may be longer than a tag."""
    assert max(len(tag.value) for tag in tags_of(f"{'m' * 63}.shadow")) == 50


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/"])
def test_a_link_leads_to_the_flag(end: str) -> None:
    """People look at Unleash beside its API."""
    place = Place(url=address_of(f"https://flags.example/team{end}"), project="shop", environment="production")
    assert place.link(FLAG) == "https://flags.example/team/projects/shop/features/sentiment.automated"
