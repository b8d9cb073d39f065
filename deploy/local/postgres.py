"""Runs one PostgreSQL server as a child process, with real durability. Creates no schema."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.places import build_once, cache_dir, free_ports, new_run_dir, remove
from deploy.local.postgres_install import Install, find_install
from deploy.local.process import Launch, OnDeath, Process

HOST = "127.0.0.1"
SUPERUSER = "postgres"
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
SETUP_TIMEOUT_S = 120.0
TEMPLATE = 1  # raise when the template must be made anew
STARTUP_PROTOCOL = 196608  # 3.0

SETTINGS: dict[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # What a production server has; a test that passes without it proves nothing.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "logical",  # so that Debezium could attach
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer:
    """A private PostgreSQL. It keeps its port, data and password across restarts."""

    def __init__(
        self,
        run_dir: Path,
        on_death: OnDeath | None = None,
        cleans: Sequence[Path] = (),
        port: int | None = None,
    ) -> None:
        """Choose port and password; nothing runs yet. `cleans` is removed at the end."""
        self.port = free_ports(1, port)[0]
        self.data = run_dir / "postgres"
        self.log = run_dir / "postgres.log"
        self._password = secrets.token_urlsafe(24)
        self._on_death = on_death
        self._cleans = tuple(cleans)
        self._install: Install | None = None
        self._process: Process | None = None

    def dsn(self, database: str = "postgres") -> str:
        """Return the superuser's DSN for a database."""
        return f"postgresql://{SUPERUSER}:{self._password}@{HOST}:{self.port}/{database}"

    @property
    def failure(self) -> StackError | None:
        """The death nobody asked for, if there was one."""
        return self._process.failure if self._process else None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._started().pid

    def launch(self) -> None:
        """Make the data directory and start the server; do not wait for it."""
        self._install = find_install()
        template = _template(self._install)
        shutil.copytree(template, self.data, symlinks=True)
        self.data.chmod(0o700)
        self.log.touch()
        if self._install.run_as:
            _give(self.data, *self._install.run_as)
        self._set_password()
        self._run()

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the server lets clients in, crash recovery included."""
        self._started().until(lambda: accepts_clients(self.port), timeout_s, "ready")

    def kill_immediate(self) -> None:
        """Crash the server (what `pg_ctl stop -m immediate` does); the next start recovers."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """Stop in order (fast shutdown): open transactions are rolled back."""
        self._end(signal.SIGINT)

    def start(self) -> None:
        """Start a stopped server on its old port and data; return when it is ready."""
        process = self._started()
        if not process.alive:
            process.close()
            self._run()
        self.wait_ready()

    def restart(self) -> None:
        """Stop in order and start again."""
        self.stop()
        self.start()

    def release(self) -> None:
        """Begin to end the server, without waiting."""
        if self._process:
            self._process.release()

    def close(self) -> None:
        """End the server at once; its data is worth nothing after this."""
        if self._process:
            self._process.close()

    def _started(self) -> Process:
        if self._process is None:
            raise StackError("the local PostgreSQL was not started")
        return self._process

    def _end(self, number: signal.Signals) -> None:
        process = self._started()
        process.signal(number)
        process.wait(STOP_TIMEOUT_S)

    def _run(self) -> None:
        assert self._install is not None
        command: list[str | Path] = [self._install.binary("postgres"), "-D", self.data]
        for name, value in {**SETTINGS, "port": str(self.port)}.items():
            command += ["-c", f"{name}={value}"]
        launch = Launch(
            "postgres",
            command,
            self.log,
            run_as=self._install.run_as,
            stop_signal=signal.SIGQUIT,  # not SIGKILL: that leaves shared memory behind
            remove=self._cleans,
            env=_environment(),
        )
        self._process = Process(launch, self._on_death)

    def _set_password(self) -> None:
        """Give this run its own password, in single-user mode: the template's is never used."""
        assert self._install is not None
        program = self._install.binary("postgres")
        command: list[str | Path] = [program, "--single", "-D", self.data, "postgres"]
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{self._password}'\n"
        _run_tool(self._install, command, statement)


def accepts_clients(port: int) -> bool:
    """Whether a server asks a new client to authenticate (it would refuse while starting)."""
    body = struct.pack(">i", STARTUP_PROTOCOL) + f"user\0{SUPERUSER}\0\0".encode()
    try:
        with socket.create_connection((HOST, port), 1.0) as connection:
            connection.settimeout(1.0)
            connection.sendall(struct.pack(">i", len(body) + 4) + body)
            return connection.recv(1) == b"R"
    except OSError:
        return False


def _template(install: Install) -> Path:
    """Return an initialised data directory to copy, made once per version: initdb is slow."""
    major = f"{TEMPLATE}-{sys.platform}"
    final = cache_dir() / f"postgres-{install.version}-template-{major}"
    return build_once(final, lambda partial: _initdb(install, partial))


def _initdb(install: Install, partial: Path) -> None:
    scratch = new_run_dir()
    try:
        data, password_file = scratch / "data", scratch / "password"
        password_file.write_text(secrets.token_urlsafe(24))
        if install.run_as:
            os.chown(scratch, *install.run_as)
            os.chown(password_file, *install.run_as)
        _run_tool(
            install,
            [
                install.binary("initdb"), "-D", data, "-U", SUPERUSER, "-E", "UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync",
            ],
        )  # fmt: skip
        shutil.copytree(data, partial, symlinks=True, dirs_exist_ok=True)
        partial.chmod(0o700)
    finally:
        remove(scratch)


def _run_tool(install: Install, command: Sequence[str | Path], stdin: str = "") -> None:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SETUP_TIMEOUT_S,
        check=False,
        cwd="/",
        env=_environment(),
        **install.subprocess_user(),
    )
    if done.returncode or "ERROR:" in done.stderr:
        name = Path(command[0]).name
        raise StackError(f"{name} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def _environment() -> dict[str, str]:
    # The caller's PGDATA or PGPORT must not reach the server; LC_ALL steers its messages.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**inherited, "LC_ALL": "C"}


def _give(root: Path, uid: int, gid: int) -> None:
    os.chown(root, uid, gid)
    for directory, folders, files in os.walk(root):
        for name in (*folders, *files):
            os.chown(os.path.join(directory, name), uid, gid, follow_symlinks=False)
