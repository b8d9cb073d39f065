"""Cache, locks and ports on a shared machine. Starts no broker and no database."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploy.local import places
from deploy.local.errors import StackError


def test_two_builders_build_once(tmp_path: Path) -> None:
    started, may_finish, waiting = threading.Event(), threading.Event(), threading.Event()
    built: list[str] = []

    def slow(partial: Path) -> None:
        built.append("slow")
        started.set()
        assert may_finish.wait(10)
        (partial / "file").write_text("whole")

    def never(partial: Path) -> None:
        built.append("never")

    first = threading.Thread(target=places.build_once, args=(tmp_path / "home", slow))
    second = threading.Thread(
        target=places.build_once, args=(tmp_path / "home", never, waiting.set)
    )
    first.start()
    assert started.wait(10)
    second.start()
    assert waiting.wait(10)
    may_finish.set()
    first.join(10)
    second.join(10)
    assert built == ["slow"]
    assert (tmp_path / "home" / "file").read_text() == "whole"


def test_a_build_that_breaks_leaves_no_half_result(tmp_path: Path) -> None:
    def breaks(partial: Path) -> None:
        (partial / "first").write_text("kept")
        raise StackError("network gone")

    with pytest.raises(StackError, match="network gone"):
        places.build_once(tmp_path / "home", breaks)
    assert not (tmp_path / "home").exists()

    seen: list[str] = []
    places.build_once(
        tmp_path / "home", lambda partial: seen.extend(p.name for p in partial.iterdir())
    )
    assert seen == ["first"], "the next build may use what the broken one got"


def test_the_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUSTFOLD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert places.cache_dir() == tmp_path / "xdg" / "trustfold"
    monkeypatch.setenv("TRUSTFOLD_CACHE", str(tmp_path / "own"))
    assert places.cache_dir() == tmp_path / "own"


def test_a_cache_that_cannot_be_made_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRUSTFOLD_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StackError, match="Set TRUSTFOLD_CACHE"):
        places.cache_dir()


def test_ports_are_free_distinct_and_below_the_ephemeral_range() -> None:
    ports = places.free_ports(8)
    assert len(set(ports)) == 8
    assert all(places.LOWEST_PORT <= port < places._ephemeral_start() for port in ports)


def test_a_wished_port_that_is_taken_is_replaced() -> None:
    with socket.socket() as holder:
        wished = places.free_ports(1)[0]
        holder.bind(("127.0.0.1", wished))
        holder.listen()
        assert wished not in places.free_ports(1, wished)
    assert places.free_ports(1, wished) == [wished]


def test_a_port_that_another_process_was_given_is_not_given_again() -> None:
    wished = places.free_ports(1)[0]
    ask = f"from deploy.local.places import free_ports; print(*free_ports(1, {wished}))"
    other = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert int(other.stdout) != wished
