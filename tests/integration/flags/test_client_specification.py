"""Unleash's own cases pass through the one door to its engine."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from yggdrasil_engine.engine import UnleashEngine

from flags.answer import FlagAnswer, Reason
from flags.context import RequestFacts
from flags.engine import LoadedEngine, load
from flags.folding import FoldedFlags, fold
from flags.moments import moment_from

CASES_OF_6_1_0 = 279
WITHOUT_A_SESSION = "Feature.A4 should be disabled when no user on context"

Ask = Callable[[dict[str, Any]], FlagAnswer]


class Context(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A context as the specification writes it."""

    user_id: str | None = None
    session_id: str | None = None
    remote_address: str | None = None
    environment: str = ""
    app_name: str = ""
    current_time: str = "2026-11-22T14:00:00Z"
    properties: Mapping[str, str | None] = {}


@pytest.fixture(scope="module")
def specifications(specification_folder: Path) -> list[dict[str, Any]]:
    names = json.loads((specification_folder / "index.json").read_text())
    return [json.loads((specification_folder / name).read_text()) for name in names]


def test_client_specification(specifications: list[dict[str, Any]]) -> None:
    """Every case of Unleash's client specification 6.1.0 answers through our door as it prescribes."""
    verdicts = [verdict for one in specifications for verdict in _own_verdicts(one)]
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


def test_client_specification_through_the_folded_door(specifications: list[dict[str, Any]]) -> None:
    """Every case answers as prescribed when asked with the facts of a request, and again from the answers kept.

    One case cannot: it wants a share of sessions to be off without a session, and every request here has one.
    """
    wrong, asked, kept = [], 0, 0
    for one in specifications:
        body = msgspec.json.encode(one["state"])
        folded = fold(body)
        first, again = (list(_verdicts(one, partial(_folded_answer, folded))) for _ in range(2))
        wrong += [what for what, right in first + again if not right]
        asked += len(first)
        kept += folded.kept
    assert (wrong, asked) == ([WITHOUT_A_SESSION] * 2, CASES_OF_6_1_0)
    assert kept > CASES_OF_6_1_0 / 2


def _own_verdicts(specification: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    engine = load(msgspec.json.encode(specification["state"]))
    return _verdicts(specification, partial(_answer, engine))


def _verdicts(specification: dict[str, Any], ask: Ask) -> Iterator[tuple[str, bool]]:
    for case in specification.get("tests", []):
        yield case["description"], ask(case).enabled == case["expectedResult"]
    for case in specification.get("variantTests", []):
        answer = ask(case)
        told = (answer.enabled, answer.variant, answer.payload)
        yield case["description"], told == _prescribed(case["expectedResult"])


def _answer(engine: LoadedEngine, case: dict[str, Any]) -> FlagAnswer:
    return engine.answer(case["toggleName"], msgspec.json.encode(case["context"]))


def _folded_answer(flags: FoldedFlags, case: dict[str, Any]) -> FlagAnswer:
    return flags.answer(case["toggleName"], _facts(msgspec.convert(case["context"], Context)))


def _facts(context: Context) -> RequestFacts:
    """A request that has this context."""
    now_us = moment_from(context.current_time)
    assert now_us is not None
    return RequestFacts(
        model="m", tenant="t", caller="k", sticky_key="d", now_us=now_us, environment=context.environment,
        app_name=context.app_name, user_id=context.user_id, session_id=context.session_id,
        remote_address=context.remote_address, properties=context.properties,
    )  # fmt: skip


def _prescribed(expected: dict[str, Any]) -> tuple[bool, str | None, str | None]:
    """Whether the flag is on, and the variant and payload where one is: the specification also names one for off."""
    if not expected["enabled"]:
        return expected["feature_enabled"], None, None
    return True, expected["name"], expected.get("payload", {}).get("value")
