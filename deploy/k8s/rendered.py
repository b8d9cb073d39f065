"""Overlays as they are applied: rendered by kustomize, read as objects. Checks nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from deploy.local.errors import StackError

PLACE = Path(__file__).parent
OVERLAYS = tuple(sorted(path.name for path in (PLACE / "overlays").iterdir() if path.is_dir()))
# Any of them renders the same; the last is built once from Go's modules.
_TOOLS = (
    ("kustomize", "build"),
    ("kubectl", "kustomize"),
    ("go", "run", "sigs.k8s.io/kustomize/kustomize/v5@v5.8.0", "build"),
)
TIMEOUT_S = 300

Manifest: TypeAlias = dict[str, Any]


class NoKustomize(StackError):
    """Nothing here can render: install kubectl, kustomize or Go."""


def text(overlay: str) -> str:
    """The overlay as one stream of YAML. Raises NoKustomize, and StackError with what it said."""
    tool = next((tool for tool in _TOOLS if shutil.which(tool[0])), None)
    if tool is None:
        raise NoKustomize("neither kustomize, kubectl nor go is here to render the manifests")
    done = subprocess.run(
        [*tool, str(PLACE / "overlays" / overlay)],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StackError(f"{overlay} cannot be rendered\n{done.stderr}".rstrip())
    return done.stdout


def objects(rendered: str) -> list[Manifest]:
    """The objects of a stream of YAML."""
    return [found for found in yaml.safe_load_all(rendered) if found]


def name_of(manifest: Manifest) -> str:
    """Kind and name, as messages say it."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def templates(manifests: list[Manifest]) -> list[tuple[Manifest, Manifest]]:
    """Everything that makes pods, each with the specification of its pod."""
    return [
        (each, each["spec"]["template"]["spec"])
        for each in manifests
        if each["kind"] in ("Deployment", "Job")
    ]
