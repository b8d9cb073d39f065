"""Writes the manifests that follow from the code: topics, who may use them, alert rules.

    python -m deploy.k8s.made          write them
    python -m deploy.k8s.made --check  say which of them are not what the code says

Never edit what it writes: change `shared/events/topics.py`, `shared/kafka/acls.py` or
`deploy/prometheus/rules.yaml`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from shared.events.topics import Topic, every_topic
from shared.kafka.acls import Acl, acls

PLACE = Path(__file__).parent / "components"
RULES = Path(__file__).parents[1] / "prometheus/rules.yaml"
CLUSTER = "trustfold"
_HEAD = "# Made by `python -m deploy.k8s.made` from {}. Do not edit.\n"
LABELS = {"strimzi.io/cluster": CLUSTER, "app.kubernetes.io/part-of": "trustfold"}


def topic(of: Topic) -> dict[str, Any]:
    """A topic, with all its settings stated. Replicas and what must be in sync are the cluster's
    defaults: three and two in production, one in `dev`.
    """
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": of.name, "labels": LABELS},
        "spec": {"partitions": of.partitions, "config": of.settings()},
    }


def user(name: str, may: Iterable[Acl]) -> dict[str, Any]:
    """Somebody who signs in with a password that the operator makes, and may do this alone."""
    rules = [
        {
            "resource": {
                "type": resource,
                "name": of,
                "patternType": "prefix" if prefixed else "literal",
            },
            "operations": sorted(each.operation for each in same),
        }
        for (resource, of, prefixed), same in groupby(sorted(may, key=_resource), key=_resource)
    ]
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": LABELS},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": rules},
        },
    }


def rules() -> dict[str, Any]:
    """The alert rules as the Prometheus operator takes them."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "trustfold", "labels": {"app.kubernetes.io/part-of": "trustfold"}},
        "spec": yaml.safe_load(RULES.read_text(encoding="utf-8")),
    }


def made() -> Mapping[Path, str]:
    """What each file has to hold."""
    of = sorted(acls(), key=lambda each: each.principal)
    users = [user(who, may) for who, may in groupby(of, key=lambda each: each.principal)]
    return {
        PLACE / "kafka/topics.yaml": _text("shared/events/topics.py", map(topic, every_topic())),
        PLACE / "kafka/users.yaml": _text("shared/kafka/acls.py", users),
        PLACE / "monitoring/rules.yaml": _text("deploy/prometheus/rules.yaml", [rules()]),
    }


def _resource(of: Acl) -> tuple[str, str, bool]:
    return (of.resource, of.name, of.prefixed)


def _text(source: str, objects: Iterable[dict[str, Any]]) -> str:
    dumped = yaml.safe_dump_all(objects, sort_keys=False, width=120, default_flow_style=False)
    return _HEAD.format(source) + str(dumped)


def main(arguments: Sequence[str]) -> int:
    """Write, or only look; 1 when a file is not what it has to be."""
    stale = [
        path
        for path, text in made().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if list(arguments) == ["--check"]:
        for path in stale:
            print(f"{path.name} is not what the code says: python -m deploy.k8s.made")
        return 1 if stale else 0
    for path in stale:
        path.write_text(made()[path], encoding="utf-8")
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
