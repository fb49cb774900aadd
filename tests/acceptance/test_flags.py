"""Flags by command, as operators and pipelines use them."""

from typing import Any

from tests.acceptance.scene import Scene

ROLLED_TO_NOBODY = {"name": "flexibleRollout", "parameters": {"rollout": "0"}}
BY_COUNTRY = {"name": "default", "constraints": [{"contextName": "country", "operator": "IN", "values": ["de"]}]}


def test_lint_tells_by_its_exit_status(scene: Scene) -> None:
    """A warning is told with 0, or with 1 where that is asked for; an error is told with 1 and its place."""
    scene.found("linted")
    lint = ("flags", "lint", "--model", "linted")
    define(scene, ROLLED_TO_NOBODY)
    assert "warning linted.automated: strategies: It is on" in scene.server.run(*lint).stdout
    assert scene.server.run(*lint, "--strict", check=False).returncode == 1
    define(scene, BY_COUNTRY)
    told = scene.server.run(*lint, check=False)
    assert told.returncode == 1
    assert "strategies[0].constraints[0].contextName: No request carries 'country'" in told.stdout


def define(scene: Scene, strategy: dict[str, Any]) -> None:
    """Switch the flag on with this strategy."""
    change = {"definition": {"enabled": True, "strategies": [strategy]}, "why": "a test"}
    answer = scene.operator.put("/api/v1/flags/linted.automated", json=change)
    assert answer.is_success, answer.text


def test_init_says_what_it_needs(scene: Scene) -> None:
    """Embedded flags come with their model; without a server's address there is nowhere to make them."""
    assert "Say --unleash" in scene.server.run("flags", "init", check=False).stderr
    assert "set unleash_url" in scene.server.run("flags", "init", "--unleash", check=False).stderr
