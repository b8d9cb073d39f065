"""A version of the model is what differs from its base; a document that cannot be one says why."""

from __future__ import annotations

from typing import Any

import pytest

from services.insights.domain.evidence import Kind
from services.insights.domain.model import V1, Facet
from services.insights.domain.packing import pack, unpack
from services.insights.domain.state import refold
from services.insights.domain.trust import fold
from services.insights.domain.versions import BadModel, as_text, derive, names_of
from tests.unit.insights.histories import at_day, every_14_days

V2 = {"name": "v2", "base": "v1", "default_half_life_days": 180,
      "rows": {"commitment_kept": {"good": {"R": 0.5}}}}  # fmt: skip


def test_a_version_differs_from_its_base_only_in_what_it_names() -> None:
    model = derive(V1, 2, V2)
    assert (model.name, model.number, model.default_half_life_days) == ("v2", 2, 180)
    assert model.rows[Kind.COMMITMENT_KEPT].good == {Facet.R: 0.5}
    assert model.rows[Kind.COMMITMENT_KEPT].capped
    assert model.rows[Kind.COMMITMENT_MISSED] == V1.rows[Kind.COMMITMENT_MISSED]
    assert model.prior_strength == V1.prior_strength


def test_a_version_scores_the_same_evidence_otherwise_and_the_old_one_stays() -> None:
    history, model = every_14_days(8), derive(V1, 2, V2)
    before = fold(history, V1, at_day(112)).about_mentor.score
    assert fold(history, model, at_day(112)).about_mentor.score < before
    assert fold(history, V1, at_day(112)).about_mentor.score == before


def test_a_state_belongs_to_the_version_that_made_it() -> None:
    packed, model = pack(refold(every_14_days(2), V1)), derive(V1, 2, V2)
    assert unpack(packed, V1) is not None
    assert unpack(packed, model) is None


def test_the_same_version_is_the_same_text() -> None:
    assert as_text(V2) == as_text(dict(reversed(V2.items())))
    assert names_of(V2) == ("v2", "v1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"prior_strength": 0}, "prior_strength must lie between", id="no prior"),
        pytest.param({"base_rate": 0.9}, "base_rate must lie between 0.5 and 0.8", id="base rate"),
        pytest.param({"base_rate": "high"}, "base_rate must be a number", id="not a number"),
        pytest.param({"batch_least": 2}, "batch_least must lie between 3", id="fewer than three"),
        pytest.param({"batch_wait_days": 13}, "batch_wait_days must lie between 14", id="too soon"),
        pytest.param({"half_lives": 3}, "half_lives is not a field", id="no such field"),
        pytest.param({"half_life_days": [240, 60]}, "half_life_days must not fall", id="falls"),
        pytest.param({"rows": {"praise": {}}}, "rows.praise is not a kind", id="no such kind"),
        pytest.param(
            {"rows": {"commitment_kept": {"good": {"X": 1}}}}, "is not a facet", id="no such facet"
        ),
        pytest.param(
            {"rows": {"commitment_kept": {"good": {"R": -1}}}}, "must lie between", id="below zero"
        ),
        pytest.param({"bands": {"steady": [0.6, 0.65]}}, "bands must give", id="half of the bands"),
        pytest.param({"name": "Version 2"}, "name must be", id="not a name"),
        pytest.param({"base": None}, "base must be", id="no base"),
    ],
)
def test_a_document_that_cannot_be_a_model_says_why(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadModel, match=said):
        derive(V1, 2, {**V2, **change})


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(BadModel) as caught:
        derive(V1, 2, {**V2, "enough": -1, "weakest_share": 2})
    assert "enough" in str(caught.value)
    assert "weakest_share" in str(caught.value)
