"""Unleash's own cases pass through the one door to its engine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from yggdrasil_engine.engine import UnleashEngine

from flags.answer import FlagAnswer, Reason
from flags.engine import LoadedEngine, load

CASES_OF_6_1_0 = 279


@pytest.fixture(scope="module")
def specifications(specification_folder: Path) -> list[dict[str, Any]]:
    names = json.loads((specification_folder / "index.json").read_text())
    return [json.loads((specification_folder / name).read_text()) for name in names]


def test_client_specification(specifications: list[dict[str, Any]]) -> None:
    """Every case of Unleash's client specification 6.1.0 answers through our door as it prescribes."""
    verdicts = [verdict for one in specifications for verdict in _verdicts(one)]
    assert [what for what, right in verdicts if not right] == []
    assert len(verdicts) == CASES_OF_6_1_0


def test_client_specification_agrees_with_the_binding(specifications: list[dict[str, Any]]) -> None:
    """Our one question a flag says what the binding's two questions say, in every context of the specification."""
    for one in specifications:
        body = json.dumps(one["state"])
        ours, theirs = load(body.encode()), UnleashEngine()
        theirs.take_state(body)
        for case in one.get("tests", []) + one.get("variantTests", []):
            answer = _answer(ours, case)
            enabled = theirs.check_enabled(case["toggleName"], case["context"])
            has_variant = theirs.check_variant(case["toggleName"], case["context"]).variant.enabled
            assert (answer.enabled, answer.reason is not Reason.UNKNOWN) == (enabled.is_enabled, enabled.is_found)
            # Which variant is a matter of chance where the context has nothing to stick to.
            assert (answer.variant is not None) == has_variant


def _verdicts(specification: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    engine = load(msgspec.json.encode(specification["state"]))
    for case in specification.get("tests", []):
        yield case["description"], _answer(engine, case).enabled == case["expectedResult"]
    for case in specification.get("variantTests", []):
        answer = _answer(engine, case)
        told = (answer.enabled, answer.variant, answer.payload)
        yield case["description"], told == _prescribed(case["expectedResult"])


def _answer(engine: LoadedEngine, case: dict[str, Any]) -> FlagAnswer:
    return engine.answer(case["toggleName"], msgspec.json.encode(case["context"]))


def _prescribed(expected: dict[str, Any]) -> tuple[bool, str | None, str | None]:
    """Whether the flag is on, and the variant and payload where one is: the specification also names one for off."""
    if not expected["enabled"]:
        return expected["feature_enabled"], None, None
    return True, expected["name"], expected.get("payload", {}).get("value")
