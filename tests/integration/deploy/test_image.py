"""What deploy/Dockerfile puts into the image is enough for every service; nothing is written.

There is no engine here to build it with: the files are laid out as its last stage says, the
libraries come from the same lock, and the processes get the image's environment and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from deploy.local import page
from deploy.local.stack import Stack
from shared.command import SERVICES
from tests.support.callers import identity_file
from tests.support.databases import Databases, service_dsn
from tests.support.waiting import until

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
LAST = DOCKERFILE.rpartition("\nFROM ")[2]
LOCK = ROOT / "requirements/base.lock"
HOME = Path("/srv/trustfold")
MORE = {
    "NOTIFICATIONS_SMTP_HOST": "127.0.0.1",
    "NOTIFICATIONS_SENDER": "no-reply@mentoring.example",
}
START_S = 120.0


@dataclass(frozen=True)
class Image:
    """The folder that stands for HOME, and the Python that has the image's libraries alone."""

    folder: Path
    python: Path

    def environ(self) -> dict[str, str]:
        (said,) = re.findall(r"^ENV (.+)$", LAST, re.MULTILINE)
        found = dict(each.split("=", 1) for each in said.split())
        found["PATH"] = found["PATH"].replace("/opt/trustfold/bin", str(self.python.parent))
        found["PATH"] = found["PATH"].replace("$PATH", "/usr/bin:/bin")
        return {name: value.replace(str(HOME), str(self.folder)) for name, value in found.items()}

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


def _libraries(folder: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    subprocess.run(
        [str(uv), "pip", "install", "--quiet", "--no-deps", "--require-hashes",
         "--python", str(folder / "bin/python"), "--requirement", str(LOCK)],
        check=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="trustfold-image-") as place:
        Path(place).chmod(0o755)  # whoever the image's user is may read it
        yield _laid_out(Path(place) / "home")


def _laid_out(folder: Path) -> Image:
    for source, target in re.findall(r"^COPY (?!--from)(\S+) (\S+)$", LAST, re.MULTILINE):
        if not target.startswith("/"):
            shutil.copytree(
                ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__")
            )
    for removed in re.findall(r"rm -rf (\S+)", LAST):
        shutil.rmtree(folder / removed)
    shutil.copytree(page.built(), folder / "page")
    folder.chmod(0o755)
    libraries = folder.with_name("libraries")
    _libraries(libraries)
    shutil.copyfile(identity_file(), folder.with_name("identity.json"))
    return Image(folder, libraries / "bin/python")


@asynccontextmanager
async def running(
    image: Image, environ: dict[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The image's entry point with these arguments, as nobody in particular."""
    entry = re.findall(r'^ENTRYPOINT \["python", (.+)\]$', LAST, re.MULTILINE)[0]
    command = [str(image.python), *re.findall(r'"([^"]+)"', entry), *arguments]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        (user,) = re.findall(r"^USER (\d+):\d+$", LAST, re.MULTILINE)
        assert int(user) > 10_000
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=image.folder, env={**image.environ(), **environ},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_runs_from_the_image_and_writes_nothing_into_it(
    image: Image, stack: Stack, databases: Databases, service: str
) -> None:
    dsn, port, prefix = await databases.create(service), free_port(), service.upper()
    environ = {
        f"{prefix}_POSTGRES": service_dsn(dsn, service),
        f"{prefix}_KAFKA": stack.kafka_bootstrap,
        f"{prefix}_IDENTITY_FILE": str(image.folder.with_name("identity.json")),
        f"{prefix}_HTTP_PORT": str(port),
        f"{prefix}_NAMESPACE": "image.",
        **MORE,
    }
    before = image.files()
    async with (
        running(image, environ, "run", service, "--role", "api", "--role", "relay") as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):

        async def ready() -> bool:
            assert process.returncode is None, await process.stdout.read()  # type: ignore[union-attr]
            with suppress(httpx.TransportError):
                return (await http.get("/health/ready")).is_success
            return False

        await until(ready, timeout_s=START_S, what=f"{service} from the image ready")
        if service == "insights":
            assert (await http.get("/")).text.startswith("<!doctype html>")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), START_S) == 0
    assert image.files() == before
    await databases.drop(dsn)


async def test_migrations_run_from_the_image(
    image: Image, databases: Databases, stack: Stack
) -> None:
    dsn = await databases.create()
    environ = {"MATCHING_POSTGRES": service_dsn(dsn, "matching"), "TRUSTFOLD_POSTGRES": dsn}
    async with running(image, environ, "migrate", "matching", "--phase", "pre") as process:
        said, _ = await asyncio.wait_for(process.communicate(), START_S)
        assert process.returncode == 0, said.decode()
    await databases.drop(dsn)


async def test_the_image_says_what_it_can_do(image: Image) -> None:
    async with running(image, {}, "--help") as process:
        said, _ = await asyncio.wait_for(process.communicate(), START_S)
    assert b"Trustfold" in said


def test_what_the_image_is_built_from_is_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        top = line.split("/")[0]
        assert f"!{top}" in ignored, line


def test_compose_gives_services_their_settings_and_starts_them_after_their_schema() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    for service in SERVICES:
        one = services[service]
        assert one["command"] == ["run", service]
        assert one["read_only"] is True
        assert set(one["depends_on"]) == {"topics", f"migrate-{service}"}
        assert all(name.startswith(f"{service.upper()}_") for name in one["environment"])
        needed = {"POSTGRES", "KAFKA", "IDENTITY_FILE"}
        assert {f"{service.upper()}_{name}" for name in needed} <= set(one["environment"])
        assert services[f"migrate-{service}"]["command"] == ["migrate", service]
    for one in services.values():
        for mount in one.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / "deploy" / source).exists() or "prometheus/rules" in source, source
