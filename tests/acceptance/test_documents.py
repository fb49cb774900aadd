"""The OpenAPI documents, called with whatever schemathesis makes of them: no request brings a server error about."""

from typing import Any

import pytest
import schemathesis
import schemathesis.specs.openapi.adapter  # loaded here: deep inside a test Python 3.11 cannot parse it any more
from hypothesis import HealthCheck, given, settings

from tests.acceptance.scene import Scene

DOCUMENTS = {"protocol": "/v2/openapi/openapi.json", "api": "/api/v1/openapi/openapi.json"}
KNOWN = {"model": "fuzzed", "flag": "fuzzed.automated", "version": "1", "name": "fuzzed"}
"""What really exists, so that not every request ends in 404."""
DECLARED = frozenset({501, 503})
"""What is refused in words: binary tensors, and holds whose wait is over."""
ENDLESS = frozenset({"/api/v1/timeline/stream"})
"""What is answered for minutes; what it makes of bad input is in tests/integration/timeline/test_streaming.py."""
EVERY_ROLE = ("reviewer", "lead", "operator", "auditor", "admin")
BOUNDED = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def everybody(scene: Scene) -> str:
    """The key of somebody with every role."""
    scene.found("fuzzed")
    return scene.make_person("Eve Everything", "eve@example.org", *EVERY_ROLE)[1]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_request_makes_a_server_error(scene: Scene, everybody: str, document: str) -> None:
    """Whatever comes to a route, from a service or from somebody with every role, is answered or refused in words."""
    key = scene.caller if document == "protocol" else everybody
    schema: Any = schemathesis.openapi.from_dict(scene.admin.get(DOCUMENTS[document]).json())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        if operation.path in ENDLESS:
            continue
        calls: Any = BOUNDED(given(operation.as_strategy())(lambda case: call(case, scene, key)))
        calls()


def call(case: Any, scene: Scene, key: str) -> None:
    """Send the case as it was made, and once more about something that exists."""
    made = dict(case.path_parameters or {})
    for parameters in (made, {name: KNOWN.get(name, value) for name, value in made.items()}):
        case.path_parameters = parameters
        headers = {"Authorization": f"Bearer {key}", "Prefer": "respond-async"}
        answer = case.call(base_url=scene.server.url, headers=headers, timeout=60)
        assert answer.status_code < 500 or answer.status_code in DECLARED, case.as_curl_command()
