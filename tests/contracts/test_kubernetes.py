"""The manifests of deploy/kubernetes fit each other and this Lockgate: settings, commands, ports, probes, labels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
import pytest

from gateway.inference.upstreams import allowed_keys, upstream_at
from lockgate.main import root
from lockgate.sources import settle_settings

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
OURS, HEALTH = "lockgate", ("/health/ready", "/health/live")
Json = dict[str, Any]


def documents(file: Path) -> list[Json]:
    """Every manifest of a file."""
    return [msgspec.yaml.decode(text) for text in file.read_text(encoding="utf-8").split("\n---\n")]


ALL = [document for file in FILES for document in documents(file)]


def of_kind(kind: str) -> list[Json]:
    """The manifests of a kind."""
    return [document for document in ALL if document["kind"] == kind]


def containers(deployment: Json) -> list[Json]:
    """The containers of a deployment, those first that run before the others."""
    pod = deployment["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod["containers"]]


def told(container: Json) -> dict[str, str]:
    """The variables that a container of ours is told."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind("ConfigMap")}
    named = [maps[each["configMapRef"]["name"]] for each in container.get("envFrom", ())]
    own = {each["name"]: each["value"] for each in container.get("env", ())}
    return {name: value for each in [*named, own] for name, value in each.items()}


def ours() -> Iterator[tuple[Json, Json]]:
    """Our containers, each with its deployment."""
    for deployment in of_kind("Deployment"):
        yield from ((deployment, each) for each in containers(deployment) if each["image"] == OURS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_manifest_can_be_read_and_the_docs_name_it(file: Path) -> None:
    """Each document has its kind, a version, a name and a namespace, and no two have the same."""
    found = [(each["kind"], each["apiVersion"], *each["metadata"].values()) for each in documents(file)]
    assert len({(kind, name, namespace) for kind, _, name, namespace, *_ in found}) == len(found)
    assert f"../deploy/kubernetes/{file.name}" in (ROOT / "docs" / "upstreams.md").read_text(encoding="utf-8")


def test_our_containers_are_told_settings_that_there_are(tmp_path: Path) -> None:
    """Each starts with a command of ours and reads its variables without a fault; files hold secrets alone."""
    for deployment, container in ours():
        [word] = container["args"]
        assert isinstance(root, click.Group)
        assert word in root.list_commands(click.Context(root))
        variables, mounts = told(container), [each["mountPath"] for each in container["volumeMounts"]]
        for name, value in variables.items():
            if name.endswith("_FILE"):
                assert str(Path(value).parent) in mounts
                (tmp_path / name).write_text("postgresql+asyncpg://lockgate@host/lockgate", encoding="utf-8")
                variables[name] = str(tmp_path / name)
        settings = settle_settings(variables, tmp_path, {}).settings
        assert allowed_keys(settings.upstreams)
        assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False  # its variables have our prefix
        assert deployment["spec"]["template"]["spec"].get("terminationGracePeriodSeconds", 30) > settings.drain_s


def test_every_upstream_is_a_service_behind_a_policy() -> None:
    """The list of servers names what the other manifests make, with its port, and nobody but Lockgate reaches that."""
    [settings] = of_kind("ConfigMap")
    services = {
        f"{each['metadata']['name']}.{each['metadata']['namespace']}.svc.cluster.local:{port['port']}"
        for each in of_kind("Service")
        for port in each["spec"]["ports"]
    } | {  # what KServe makes
        f"{each['metadata']['name']}-predictor.{each['metadata']['namespace']}.svc.cluster.local:80"
        for each in of_kind("InferenceService")
    }
    origins = allowed_keys(settings["data"]["LOCKGATE_UPSTREAMS"])
    assert {urlsplit(origin).netloc for origin in origins} <= services
    for file in FILES:
        words = file.read_text(encoding="utf-8").split()
        addresses = [words[at + 1] for at, word in enumerate(words) if word == "--upstream"]
        assert all(upstream_at(address, "m").origin in origins for address in addresses)
    guarded = [each for each in of_kind("NetworkPolicy") if each["metadata"]["namespace"] == "models"]
    assert len(guarded) == len(origins)
    for policy in guarded:
        first = policy["spec"]["ingress"][0]["from"]
        assert first == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OURS}}}]


def test_labels_ports_volumes_and_probes_fit_each_other() -> None:
    """A selector selects, a port that is named is one of the pod, a mount has its volume, and a probe asks what is
    answered."""
    pods = {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind("Deployment")}
    for deployment in of_kind("Deployment"):
        template = deployment["spec"]["template"]
        assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
        volumes = {each["name"] for each in template["spec"]["volumes"]}
        for container in containers(deployment):
            assert {each["name"] for each in container["volumeMounts"]} <= volumes
            probes = [container[probe]["httpGet"] for probe in PROBES if probe in container]
            assert {probe["port"] for probe in probes} <= {port["name"] for port in container.get("ports", ())}
            if container["image"] == OURS:
                assert {probe["path"] for probe in probes} <= set(HEALTH)
    for service in of_kind("Service"):
        [template] = [each for each in pods.values() if each["metadata"]["labels"] == service["spec"]["selector"]]
        named = {port["name"] for each in template["spec"]["containers"] for port in each["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    for policy in of_kind("NetworkPolicy"):
        labels = policy["spec"]["podSelector"]["matchLabels"]
        found = [each for each in pods.values() if each["metadata"]["labels"] == labels]
        named = {port["name"] for pod in found for each in pod["spec"]["containers"] for port in each["ports"]}
        asked = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        assert asked <= named if found else asked == {8080}  # KServe's own pods
