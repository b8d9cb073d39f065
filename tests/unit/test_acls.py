"""Each part of the network is allowed the least that it needs, under names of its own."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from shared.cli import app
from shared.events.topics import FEEDBACK, PEOPLE
from shared.kafka.acls import acls


def test_private_answers_are_read_by_insights_alone() -> None:
    allowed = [each for each in acls() if each.name == FEEDBACK.name]
    readers = {each.principal for each in allowed if each.operation == "Read"}

    assert readers == {"insights"}


def test_hr_writes_people_and_nothing_else() -> None:
    written = [each.name for each in acls() if each[:2] == ("hr", "Write")]

    assert written == [PEOPLE.name]


def test_a_namespace_stands_before_every_name() -> None:
    assert all(each.name.startswith("blue.") for each in acls("blue."))


def test_the_command_prints_what_apaches_own_takes() -> None:
    said = CliRunner().invoke(app, ["acls"])
    listed = CliRunner().invoke(app, ["acls", "--json"])

    assert (
        "--add --allow-principal User:hr --operation Write --topic mentoring.public.people.v1\n"
        in said.output
    )
    assert len(json.loads(listed.output)) == len(said.output.splitlines()) == len(acls())
