"""Tells what happened in plain words. Pure.

Every event about a model or its flags can be told. A type that stands in the table has a sentence of its own; any other
one is told by its name and what it carries, so that nothing that happens is left out because nobody wrote a sentence.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from gateway.times import iso

Fact = str | float | bool | None
Facts = Mapping[str, Fact]
Kind = Literal["serves", "flag", "halt", "trial", "guard", "learning", "other"]
"""What an event changes: what serves, who is answered how, what is tried, watched, or learned."""

HALTS = {
    "review": "every request waits for a person",
    "fallback": "every request gets the declared fallback",
    "refuse": "every request is refused",
}
KINDS: Mapping[str, Kind] = {
    "release.evaluated": "learning",
    "release.bundled": "other",
    "release.trained": "learning",
    "recipe": "learning",
    "release": "serves",
    "version": "serves",
    "flag": "flag",
    "rollout": "flag",
    "model.halted": "halt",
    "model.resumed": "halt",
    "trial": "trial",
    "guard": "guard",
    "dataset": "learning",
    "truth": "learning",
    "training": "learning",
    "simulation": "learning",
}
"""By the whole type of an event, or else by its part before the point."""
GRAVE = frozenset({"model.halted", "release.rolled_back", "guard.breached", "rollout.aborted"})
SENTENCES: Mapping[str, str] = {
    "version.added": "Version {version} came with {release}.",
    "release.founded": "{release} serves, the first release of the model.",
    "release.created": "{release} was made of version {version}, after {parent}.",
    "release.promotion_requested": "A second person is asked to confirm the promotion of {release}.",
    "release.promoted": "{release} was promoted in the place of {before}{forced}{confirmed}.",
    "release.rolled_back": "Rolled back to {release}; {withdrawn} is withdrawn.",
    "release.evaluated": "{release} was evaluated on the dataset {dataset}.",
    "release.bundled": "The bundle of {release} was taken: {bundle}.",
    "release.imported": "{release} came as the bundle of {came_as}: {bundle}.",
    "release.trained": "{release} came out of a training on the dataset {dataset}.",
    "recipe.declared": "The recipe {name} was declared: {recipe}.",
    "recipe.required": "Releases need to say how they were trained: {required}.",
    "training.asked": "A training on the dataset {dataset} was asked for.",
    "training.started": "The training on the dataset {dataset} began.",
    "training.failed": "The training on the dataset {dataset} came to nothing.",
    "training.cancelled": "The training on the dataset {dataset} was cancelled.",
    "training.trigger_set": "It is retrained by itself after {after_corrections} new corrections.",
    "training.trigger_ended": "It is retrained only when somebody asks for it.",
    "trial.opened": "{release} went on trial.",
    "trial.canary_opened": "The canary of {release} was opened: it answers where its flag is on.",
    "trial.closed": "The trial of {release} ended.",
    "model.halted": "Halted: {means}.",
    "model.resumed": "The halt was lifted.",
    "model.load_asked": "A client asked for {release} to be loaded, which serves anyway.",
    "model.unload_asked": "A client asked for {release} to be unloaded and was refused: it serves.",
    "flag.changed": "{flag}: {was} → {now}{confirmed}.",
    "flag.change_requested": "A second person is asked to confirm a change of {flag}.",
    "rollout.started": "A rollout of {flag} began: {steps}.",
    "rollout.stepped": "The rollout of {flag} took step {step} of {of}: {percent} %.",
    "rollout.approved": "Step {step} of {of} of the rollout of {flag} was approved.",
    "rollout.paused": "The rollout of {flag} was paused at {percent} %.",
    "rollout.resumed": "The rollout of {flag} goes on at {percent} %.",
    "rollout.finished": "The rollout of {flag} has come to its end, at {percent} %.",
    "rollout.aborted": "The rollout of {flag} was aborted at {percent} %, and the flag switched off.",
    "gate.declared": "The gate's terms were declared{confirmed}: {asks}.",
    "gate.cleared": "The gate's terms were cleared{confirmed}: {asks}.",
    "gate.lowering_requested": "A second person is asked to confirm lower terms of the gate: {asks}.",
    "guard.declared": "What the guard watches was declared anew.",
    "guard.cleared": "The guard watches nothing any more.",
    "guard.watching": "The guard watches {release}.",
    "guard.passed": "The guard found nothing against {release} in its time.",
    "guard.breached": "The guard found {release} in breach{acted}.",
    "dataset.frozen": "A dataset of {items} items was frozen: {dataset}.",
    "simulation.asked": "A simulation was asked for: {proposal}.",
    "simulation.done": "A simulation is there: {proposal} would change the path of {changing} requests.",
    "truth.arrived": "{items} {truths} arrived from the source “{source}”{contradicting}.",
}
BEGINS = "{flag} begins {now}."
"""For a flag that was made; its model came a moment before."""
SPOKEN_OF_MAX = 4
"""How many facts of an event without a sentence are told."""
FACT_MAX_CHARACTERS = 80
FAR_US = 1 << 52
"""No moment of ours lies behind this one, in the year 2112."""
DIGEST_CHARACTERS = 64
NOT_THERE = "not there"
UNSPOKEN = frozenset({"why", "model"})


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the timeline reads it; several truths in a row are one."""

    position: int
    first_position: int
    """The first of those that were taken together."""
    type: str
    subject: str
    facts: Facts
    by: str
    at_us: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    position: int
    """Behind this position the next line begins."""
    first_position: int
    """Lower where several truths in a row are one line."""
    at_us: int
    type: str
    kind: Kind
    model: str
    said: str
    why: str
    """The reason, in the words of who did it; empty where none was asked for."""
    by: str
    grave: bool
    """Whether somebody, or a guard, stepped in because something was wrong."""
    simulation: str = ""
    """The id of the simulation that it tells of, or on which a change rests."""


def told(one: Happened) -> Entry:
    """The line that tells it; never fails, whatever the event carries."""
    return Entry(
        position=one.position,
        first_position=one.first_position,
        at_us=one.at_us,
        type=one.type,
        kind=kind_of(one.type),
        model=model_of(one.subject),
        said=_said(one),
        why=str(one.facts.get("why") or ""),
        by=one.by,
        grave=one.type in GRAVE,
        simulation=str(one.facts.get("simulation") or ""),
    )


def together(happened: Iterable[Happened]) -> list[Happened]:
    """The same in the same order, with truths of one source about one model that follow each other as one."""
    taken: list[Happened] = []
    for one in happened:
        if taken and _alike(taken[-1], one):
            taken[-1] = _joined(taken[-1], one)
        else:
            taken.append(one)
    return taken


def kind_of(type_: str) -> Kind:
    """What an event of this type changes."""
    return KINDS.get(type_) or KINDS.get(type_.partition(".")[0]) or "other"


def model_of(subject: str) -> str:
    """The model that a subject is about: `sentiment` for `model:sentiment` and for `flag:sentiment.automated`."""
    kind, _, name = subject.partition(":")
    return name.rpartition(".")[0] if kind == "flag" else name


def _alike(one: Happened, next_: Happened) -> bool:
    same = (one.type, one.subject, one.by) == (next_.type, next_.subject, next_.by)
    return same and one.type == "truth.arrived" and one.facts.get("source") == next_.facts.get("source")


def _joined(one: Happened, next_: Happened) -> Happened:
    sums = {name: _count(one.facts, name) + _count(next_.facts, name) for name in ("items", "conflicts")}
    return msgspec.structs.replace(next_, first_position=one.first_position, facts=dict(next_.facts) | sums)


def _said(one: Happened) -> str:
    sentence = BEGINS if _begins(one) else SENTENCES.get(one.type)
    if sentence is None:
        return _by_its_name(one.type, one.facts)
    return sentence.format_map(_Spoken(one.facts))


def _begins(one: Happened) -> bool:
    return one.type == "flag.changed" and one.facts.get("was") == NOT_THERE


class _Spoken(dict[str, str]):
    """The facts in words, with those that follow from others; what is missing is a dash."""

    def __init__(self, facts: Facts) -> None:
        super().__init__({name: spoken(fact) for name, fact in facts.items()})
        self["forced"] = ", by force" if facts.get("forced") else ""
        self["confirmed"] = f", confirmed by {_who(facts['second_person'])}" if facts.get("second_person") else ""
        self["acted"] = f" and {self['act'].replace('_', ' ')}" if facts.get("act") else ""
        self["means"] = HALTS.get(str(facts.get("mode")), self["mode"])
        self["truths"] = "truth" if _count(facts, "items") == 1 else "truths"
        changed = facts.get("changed")
        self["changing"] = f"{changed:.1%} of" if isinstance(changed, float) else "no known"
        conflicts = _count(facts, "conflicts")
        self["contradicting"] = f", {conflicts} of them against what people said" if conflicts else ""

    def __missing__(self, name: str) -> str:
        return "–"


def spoken(fact: Fact) -> str:
    """A fact in words; a digest is cut to what one compares."""
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    if isinstance(fact, float):
        return f"{fact:.4g}"
    text = "–" if fact is None else str(fact)
    if len(text) == DIGEST_CHARACTERS and text.isalnum():
        return f"{text[:12]}…"
    return text if len(text) <= FACT_MAX_CHARACTERS else f"{text[: FACT_MAX_CHARACTERS - 1]}…"


def _by_its_name(type_: str, facts: Facts) -> str:
    name = type_.replace(".", " ").replace("_", " ").strip()
    words = f"{name[:1].upper()}{name[1:]}"
    known = [(key, fact) for key, fact in facts.items() if key not in UNSPOKEN and fact is not None]
    details = [_detail(key, fact) for key, fact in known[:SPOKEN_OF_MAX]]
    return f"{words}: {', '.join(details)}." if details else f"{words}."


def _detail(name: str, fact: Fact) -> str:
    if name.endswith("_us") and isinstance(fact, int) and 0 <= fact < FAR_US:
        return f"{name.removesuffix('_us').replace('_', ' ')} {iso(fact)}"
    return f"{name.replace('_', ' ')} {spoken(fact)}"


def _count(facts: Facts, name: str) -> int:
    found = facts.get(name)
    return int(found) if isinstance(found, int | float) else 0


def _who(by: Fact) -> str:
    return str(by).removeprefix("person:")


def scalars(data: object) -> Facts:
    """What an event carries, as far as a sentence can name it."""
    if not isinstance(data, dict):
        return {}
    return {str(key): fact for key, fact in data.items() if isinstance(fact, str | int | float | bool | None)}


def about(models: Sequence[str], flags: Iterable[str]) -> tuple[str, ...]:
    """The subjects of the events about these models and flags."""
    return (*(f"model:{model}" for model in models), *(f"flag:{flag}" for flag in flags))
