"""Public holidays, against dates that anybody can look up."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from services.sessions.public_holidays import YEARS, holidays_of


@pytest.mark.parametrize(
    ("country", "day"),
    [
        pytest.param("DE", date(2026, 10, 3), id="German unity"),
        pytest.param("DE", date(2026, 4, 3), id="Good Friday, which moves with Easter"),
        pytest.param("DE-BY", date(2026, 1, 6), id="Epiphany in Bavaria"),
        pytest.param("FR", date(2026, 7, 14), id="the 14th of July"),
        pytest.param("US", date(2026, 11, 26), id="Thanksgiving, a Thursday of a month"),
        pytest.param("US", date(2026, 7, 3), id="observed on the Friday before a Saturday"),
        pytest.param("IN", date(2026, 1, 26), id="Republic Day"),
        pytest.param("JP", date(2026, 5, 5), id="Children's Day"),
        pytest.param("GB-SCT", date(2026, 11, 30), id="St Andrew's Day in Scotland"),
    ],
)
def test_a_country_keeps_its_holidays(country: str, day: date) -> None:
    assert day in holidays_of(country)


@pytest.mark.parametrize(
    ("country", "day"),
    [
        pytest.param("DE", date(2026, 1, 6), id="Epiphany is not all of Germany's"),
        pytest.param("DE-BE", date(2026, 1, 6), id="nor Berlin's"),
        pytest.param("US", date(2026, 7, 14), id="the 14th of July is not American"),
        pytest.param("SE", date(2026, 11, 22), id="a plain Sunday is no holiday"),
        pytest.param("NO", date(2026, 11, 22), id="anywhere"),
    ],
)
def test_and_only_its_own(country: str, day: date) -> None:
    assert day not in holidays_of(country)


def test_a_part_that_nobody_knows_has_its_countrys() -> None:
    assert holidays_of("DE-ZZZ") == holidays_of("DE")
    assert holidays_of("DE-BY") > holidays_of("DE")


@pytest.mark.parametrize("country", [None, "XX", "XX-YY", "", "-", "de"])
def test_a_country_that_nobody_knows_has_none(country: str | None) -> None:
    assert holidays_of(country) == frozenset()


def test_every_year_of_the_span_has_some() -> None:
    assert {day.year for day in holidays_of("DE")} == set(YEARS)


def test_a_country_is_looked_up_once() -> None:
    assert holidays_of("DE-HH") is holidays_of("DE-HH")


def test_the_library_is_not_loaded_before_a_country_is_asked_for() -> None:
    code = (
        "import sys; import services.sessions.public_holidays as ours; ours.holidays_of(None);"
        " sys.exit('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
