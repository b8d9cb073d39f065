"""Holds the manifests against everybody's schemas and rules. Needs no cluster.

    python -m deploy.k8s.check          schemas of Kubernetes and the operators
    python -m deploy.k8s.check --rules  and Checkov's rules, which it fetches once

Whether they fit our code is asked by `tests/unit/deploy/test_manifests.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
from jsonschema import Draft202012Validator

from deploy.k8s import made
from deploy.k8s.rendered import OVERLAYS, Manifest, NoKustomize, name_of, objects, text
from deploy.local.errors import StackError

KUBERNETES = "1.37"
CRDS = Path(__file__).parent / "crds"
CHECKOV = "checkov==3.3.30"
# Why each is not followed.
SKIPPED = {
    "CKV_K8S_11": "no limit of CPU: a throttled consumer misses heartbeats; its group rebalances",
    "CKV_K8S_15": "releases are not overwritten, so a node need not ask for what it has",
    "CKV_K8S_43": "the digest is known when the image is pushed: kustomize edit set image",
}
RULES_TIMEOUT_S = 300


def wrong_in(manifests: Sequence[Manifest]) -> Iterator[str]:
    """What the schemas say against each object. Unknown fields are wrong."""
    known = _operators()
    for manifest in manifests:
        of = (manifest["apiVersion"], manifest["kind"])
        if of in known:
            for error in known[of].iter_errors(manifest):
                yield f"{name_of(manifest)}: {error.json_path}: {error.message}"
            continue
        try:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            yield f"{name_of(manifest)}: nobody here knows {of[0]} {of[1]}"
        except kubernetes_validate.ValidationError as error:
            yield f"{name_of(manifest)}: {error.message}"


def closed(schema: Any) -> Any:
    """The schema with unknown fields refused, as an API server told to be strict does."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if (
        isinstance(schema.get("properties"), dict)
        and schema.get("type") == "object"
        and not is_open
    ):
        found["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
        found["type"] = ["integer", "string"]
    return found


def broken_rules(rendered: str) -> list[str]:
    """What Checkov says against an overlay, but for SKIPPED. Raises StackError if it cannot run."""
    with tempfile.TemporaryDirectory(prefix="trustfold-checkov-") as folder:
        file = Path(folder) / "rendered.yaml"
        file.write_text(rendered, encoding="utf-8")
        done = subprocess.run(
            [str(Path(sys.executable).parent / "uv"), "tool", "run", "--from", CHECKOV, "checkov",
             "--file", str(file), "--framework", "kubernetes", "--output", "json", "--quiet",
             "--skip-check", ",".join(SKIPPED)],
            env=_environ(), capture_output=True, text=True, timeout=RULES_TIMEOUT_S, check=False,
        )  # fmt: skip
    try:
        said = json.loads(done.stdout)
    except ValueError:
        raise StackError(f"Checkov could not be run\n{done.stderr[-500:]}") from None
    failed = said.get("results", {}).get("failed_checks", [])
    return [
        f"{it['resource'].partition('.app.kubernetes.io')[0]}: {it['check_id']} {it['check_name']}"
        for it in failed
    ]


def _environ() -> dict[str, str]:
    """uv is told of the mirror that pip was told of, as `deploy/local/setup.sh` does."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    mirror = {"UV_DEFAULT_INDEX": said} if said else {}
    return mirror | os.environ


def _operators() -> dict[tuple[str, str], Draft202012Validator]:
    found = {}
    for path in sorted(CRDS.glob("*.json")):
        one = json.loads(path.read_bytes())
        schema = closed(one["schema"])
        # Of every object; the definition says only that it is one.
        schema["properties"]["metadata"] = {"type": "object"}
        found[f"{one['group']}/{one['version']}", one["kind"]] = Draft202012Validator(schema)
    return found


def main(arguments: Sequence[str]) -> int:
    """Check everything; 1 when something is wrong."""
    wrong = made.main(["--check"])
    for overlay in OVERLAYS:
        try:
            rendered = text(overlay)
            manifests = objects(rendered)
            found = list(wrong_in(manifests))
            if "--rules" in arguments:
                found += broken_rules(rendered)
        except NoKustomize as error:
            print(f"not checked: {error}")
            return wrong
        except StackError as error:
            found, manifests = [str(error)], []
        for each in found:
            print(f"{overlay}: {each}")
        wrong = wrong or bool(found)
        if not found:
            print(f"{overlay}: {len(manifests)} objects are as they have to be")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
