"""What a programme suggests, and the draft that a pair gets of it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from services.sessions.domain.member import Member
from services.sessions.domain.templates import (
    DEFAULT,
    Hours,
    Suggestion,
    Template,
    draft,
    require_template,
)
from services.sessions.domain.terms import Terms, Window, require_terms
from shared.errors import Rejected
from tests.unit.sessions.given import MENTEE, MENTOR, PAIR, TENANT


def suggested(template: Template) -> Suggestion:
    return Suggestion(TENANT, None, template)


def test_the_hours_of_a_draft_are_those_of_each_where_they_are() -> None:
    apart = replace(PAIR, mentee=Member(MENTEE, "Asia/Kathmandu"))
    template = replace(DEFAULT, hours=(Hours(1, 540, 600),), off_limits=(Hours(5, 900, 1440),))

    made = draft(suggested(template), apart)

    assert made.terms.hours == (Window(MENTOR, 1, 540, 600), Window(MENTEE, 1, 540, 600))
    assert made.terms.off_limits == (Window(MENTOR, 5, 900, 1440), Window(MENTEE, 5, 900, 1440))
    assert [each.zone for each in made.sides] == ["UTC", "Asia/Kathmandu"]


def test_a_draft_can_be_proposed_as_it_stands() -> None:
    require_terms(draft(suggested(DEFAULT), PAIR).terms, PAIR)


def test_without_a_template_a_pair_begins_with_what_is_to_be_expected() -> None:
    terms = draft(suggested(DEFAULT), PAIR).terms

    # Goals, communication and feedback, and how often to meet.
    assert terms.goals
    assert terms.channels
    assert terms.feedback
    assert (terms.cadence_days, terms.review_after_days) == (14, 90)


def test_a_draft_leaves_no_term_out() -> None:
    template = replace(
        DEFAULT, off_limits=(Hours(6, 0, 1440),), topics_off_limits=("performance reviews",)
    )
    terms = draft(suggested(template), PAIR).terms

    assert [each.name for each in fields(Terms)] == [each.name for each in fields(Template)]
    assert all(getattr(terms, each.name) for each in fields(Terms))


def test_a_window_that_is_none_is_named() -> None:
    with pytest.raises(Rejected) as refused:
        require_template(replace(DEFAULT, hours=(Hours(1, 0, 60), Hours(2, 1200, 60))))
    assert refused.value.field == "hours.1.until_minute"
    with pytest.raises(Rejected, match="at most 50 windows"):
        require_template(replace(DEFAULT, off_limits=(Hours(1, 0, 60),) * 51))
