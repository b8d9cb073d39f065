"""What was found may not hold any more at the commit: one word for each thing that changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.matching.domain.fit import Candidate
from services.matching.domain.programme import Rules
from services.matching.domain.recheck import Became, Known, recheck
from shared.ids import PersonId

ENGLISH = frozenset({"en"})
ANN = Candidate(PersonId("ann"), languages=ENGLISH, grade=5)
BEN = Candidate(PersonId("ben"), languages=ENGLISH, grade=3)
KNOWN = Known(mentor=ANN, mentee=BEN, has_mentor=False, apart=False, places=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "proposed", id="nothing has changed"),
        pytest.param({"mentor": None}, "left", id="the mentor is gone"),
        pytest.param({"mentee": None}, "left", id="the mentee is gone"),
        pytest.param({"has_mentor": True}, "has_a_mentor", id="the mentee found somebody"),
        pytest.param({"apart": True}, "kept_apart", id="they are kept apart by now"),
        pytest.param({"places": 0}, "place_gone", id="the place is taken"),
        pytest.param(
            {"mentee": replace(BEN, manager_id=ANN.person_id)},
            "rule_broken",
            id="the mentor is the manager by now",
        ),
        pytest.param({"mentee": replace(BEN, grade=6)}, "rule_broken", id="above the mentor"),
        pytest.param(
            {"mentee": None, "has_mentor": True, "apart": True, "places": 0},
            "left",
            id="of several reasons, the first",
        ),
    ],
)
def test_recheck(changes: dict[str, object], expected: Became) -> None:
    known = replace(KNOWN, **changes)  # type: ignore[arg-type]
    assert recheck(known, Rules(min_grade_gap=1)) == expected
