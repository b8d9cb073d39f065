"""The manifests fit the schemas of who takes them, and our code: names, ports, paths, topics."""

from __future__ import annotations

import copy
import importlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from typer.testing import CliRunner

from deploy.k8s import made
from deploy.k8s.check import wrong_in
from deploy.k8s.rendered import OVERLAYS, Manifest, NoKustomize, objects, templates, text
from deploy.local.gateway import PREFIXED, REST
from shared import runtime
from shared.cli import app
from shared.command import SERVICES, from_environment
from shared.events.topics import GROUPS, every_topic
from shared.kafka import consumer
from shared.kafka.acls import acls
from shared.settings import SECRETS

ROOT = Path(__file__).parents[3]
Pod = tuple[Manifest, Manifest]


@cache
def rendered(overlay: str) -> list[Manifest]:
    try:
        return objects(text(overlay))
    except NoKustomize as error:
        pytest.skip(str(error))


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return copy.deepcopy(rendered(request.param))


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def service_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["labels"]["app.kubernetes.io/name"])


def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    return dict(only)


def environ(manifests: list[Manifest], pod: Manifest) -> dict[str, str]:
    """What a pod finds in its environment."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(manifests, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container(pod)["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    return found


def test_every_object_is_one_that_its_api_server_takes(manifests: list[Manifest]) -> None:
    assert list(wrong_in(manifests)) == []


@pytest.mark.parametrize("kind", ["Deployment", "Kafka", "KafkaUser", "Cluster", "ScaledObject"])
def test_a_field_that_nobody_knows_is_found(kind: str) -> None:
    (found, *_) = of_kind(copy.deepcopy(rendered("prod")), kind)
    found["spec"]["replicsa"] = 3
    assert len(list(wrong_in([found]))) == 1


def test_a_value_of_another_type_is_found() -> None:
    topic, pool = (
        of_kind(copy.deepcopy(rendered("prod")), k)[0] for k in ("KafkaTopic", "KafkaNodePool")
    )
    topic["spec"]["partitions"] = "six"
    pool["spec"]["roles"] = ["leader"]
    assert len(list(wrong_in([topic, pool]))) == 2


def test_an_object_of_an_unknown_kind_is_found() -> None:
    stranger = {"apiVersion": "example.com/v1", "kind": "Stranger", "metadata": {"name": "x"}}
    assert list(wrong_in([stranger])) == ["Stranger x: nobody here knows example.com/v1 Stranger"]


def test_what_follows_from_the_code_is_as_the_code_says() -> None:
    assert made.main(["--check"]) == 0


def test_topics_and_their_users_are_those_of_the_code(manifests: list[Manifest]) -> None:
    topics = {
        it["metadata"]["name"]: it["spec"]["config"] for it in of_kind(manifests, "KafkaTopic")
    }
    assert topics == {topic.name: topic.settings() for topic in every_topic()}
    may = {
        (it["metadata"]["name"], operation, rule["resource"]["type"], rule["resource"]["name"])
        for it in of_kind(manifests, "KafkaUser")
        for rule in it["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    }
    assert may == {(it.principal, it.operation, it.resource, it.name) for it in acls()}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_be_started_with_what_its_pods_are_given(
    manifests: list[Manifest],
    service: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (pod, *_) = [
        pod
        for manifest, pod in templates(manifests)
        if manifest["kind"] == "Deployment" and service_of(manifest) == service
    ]
    mounts = {it["name"]: it["mountPath"] for it in container(pod)["volumeMounts"]}
    assert mounts["secrets"] == str(SECRETS)
    for name in secret_files(manifests, pod):
        (tmp_path / name).write_text(a_secret(name))
    said = environ(manifests, pod)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    cls = getattr(
        importlib.import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings"
    )
    settings = from_environment(cls, f"{service.upper()}_", tmp_path)

    fields = {f"{service.upper()}_{name.upper()}" for name in cls.model_fields}
    assert set(said) - fields == {"TRUSTFOLD_POSTGRES"}
    assert set(secret_files(manifests, pod)) <= fields
    assert settings.http_port == container(pod)["ports"][0]["containerPort"]
    assert str(settings.identity_file).startswith(mounts["identity"])
    assert str(settings.kafka_ca_file) == f"{mounts['trusted']}/kafka.crt"
    assert f"sslrootcert={mounts['trusted']}/postgres.crt" in settings.dsn
    assert "sslmode=verify-full" in settings.dsn


def secret_files(manifests: list[Manifest], pod: Manifest) -> list[str]:
    """The files in the directory of secrets: keys of the service's own, and what is projected."""
    (volume,) = [it for it in pod["volumes"] if it["name"] == "secrets"]
    found = []
    for source in volume["projected"]["sources"]:
        secret = source["secret"]
        if "items" in secret:
            found += [item["path"] for item in secret["items"]]
            continue
        for each in of_kind(manifests, "Secret", "ExternalSecret"):
            if each["metadata"]["name"] == secret["name"]:
                keys = each.get("data") or [it["secretKey"] for it in each["spec"]["data"]]
                found += list(keys)
    return found


def a_secret(name: str) -> str:
    if name == "MATCHING_RECEIPT_KEY":
        return str(OKPKey.generate_key("Ed25519").as_dict(private=True)).replace("'", '"')
    return "x" * 40


def test_pods_are_started_as_the_command_line_understands(manifests: list[Manifest]) -> None:
    for manifest, pod in templates(manifests):
        command, service, option, value = container(pod)["args"]
        assert service == service_of(manifest)
        assert container(pod)["name"] == "service"
        if manifest["kind"] == "Job":
            assert (command, option) == ("migrate", "--phase")
            assert value in ("pre", "post")
        else:
            assert (command, option) == ("run", "--role")
            assert value in runtime.ROLES
            assert manifest["metadata"]["name"] == f"{service}-{value}"
        told = CliRunner().invoke(app, [command, service, "--help"])
        assert option in told.output


def test_each_service_has_each_role(manifests: list[Manifest]) -> None:
    there = {it["metadata"]["name"] for it in of_kind(manifests, "Deployment")}
    assert there == {f"{service}-{role}" for service in SERVICES for role in runtime.ROLES}


def test_probes_ask_what_is_served_and_liveness_asks_for_nothing_else(
    manifests: list[Manifest],
) -> None:
    source = (ROOT / "shared/health.py").read_text(encoding="utf-8")
    for manifest, pod in templates(manifests):
        if manifest["kind"] == "Job":
            continue
        only = container(pod)
        paths = {
            probe: only[f"{probe}Probe"]["httpGet"]["path"]
            for probe in ("startup", "liveness", "readiness")
        }
        assert paths == {
            "startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"
        }  # fmt: skip
        assert all(f'@app.get("{path}"' in source for path in paths.values())
        assert all(only[f"{it}Probe"]["httpGet"]["port"] == "http" for it in paths)


def test_a_pod_is_given_longer_to_stop_than_a_service_takes(manifests: list[Manifest]) -> None:
    stops_s = consumer.GRACEFUL_TIMEOUT_S + 2 * runtime.HTTP_STOP_TIMEOUT_S
    for manifest, pod in templates(manifests):
        if manifest["kind"] == "Deployment":
            hook = container(pod).get("lifecycle", {}).get("preStop", {}).get("sleep", {})
            assert pod["terminationGracePeriodSeconds"] > stops_s + hook.get("seconds", 0)


def pods_of(manifests: list[Manifest]) -> list[Mapping[str, str]]:
    return [it["spec"]["template"]["metadata"]["labels"] for it in of_kind(manifests, "Deployment")]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    among = selector.get("matchExpressions", [])
    return wanted <= labels.items() and all(labels.get(it["key"]) in it["values"] for it in among)


def selectors(manifests: list[Manifest]) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    """Who selects pods of ours, by what, and how many kinds of pods that has to find."""
    for it in manifests:
        name = f"{it['kind']} {it['metadata']['name']}"
        if it["kind"] == "Service":
            yield name, {"matchLabels": it["spec"]["selector"]}, 1
        if it["kind"] in ("Deployment", "PodDisruptionBudget"):
            yield name, it["spec"]["selector"], 1
        if name == "PodMonitor trustfold":
            yield name, it["spec"]["selector"], len(SERVICES) * len(runtime.ROLES)


def test_whoever_selects_pods_finds_those_it_means(manifests: list[Manifest]) -> None:
    labels = pods_of(manifests)
    for name, selector, count in selectors(manifests):
        assert sum(selects(selector, it) for it in labels) == count, name
    for policy in of_kind(manifests, "NetworkPolicy"):
        if policy["metadata"]["name"] != "database":
            assert any(selects(policy["spec"]["podSelector"], it) for it in labels), policy
    there = {it["metadata"]["name"] for it in of_kind(manifests, "Deployment")}
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        assert scaler["spec"]["scaleTargetRef"]["name"] in there


def test_workers_are_scaled_by_the_lag_of_their_group_up_to_its_partitions() -> None:
    partitions = {group.name: max(topic.partitions for topic in group.topics) for group in GROUPS}
    found = {}
    for it in of_kind(rendered("prod"), "ScaledObject"):
        (trigger,) = it["spec"]["triggers"]
        found[trigger["metadata"]["consumerGroup"]] = it["spec"]["maxReplicaCount"]
        assert it["spec"]["minReplicaCount"] >= 1, "at none, a group without a topic stays at none"
    assert found == partitions


def test_requests_go_where_the_local_gateway_sends_them() -> None:
    (route,) = of_kind(rendered("prod"), "HTTPRoute")
    sent = {
        rule["matches"][0]["path"]["value"]: rule["backendRefs"][0]["name"]
        for rule in route["spec"]["rules"]
        if "backendRefs" in rule
    }
    assert sent == {f"/{it}": f"{it}-api" for it in PREFIXED} | {"/": f"{REST}-api"}


def test_the_release_is_the_projects(manifests: list[Manifest]) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    for job in of_kind(manifests, "Job"):
        assert job["metadata"]["name"].endswith(version.replace(".", "-"))
    for it in of_kind(manifests, "Deployment"):
        assert it["metadata"]["labels"]["app.kubernetes.io/version"] == version


def test_no_secret_is_in_the_manifests_but_those_of_dev() -> None:
    for overlay in ("staging", "prod"):
        assert of_kind(rendered(overlay), "Secret") == []
        assert "only-for-dev" not in text(overlay)
