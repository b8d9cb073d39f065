"""What an agenda suggests: what lies open, in words, and of trust what each can do themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.sessions.domain import goal as goal_rules
from services.sessions.domain import goal_progress
from services.sessions.domain import repair as repair_rules
from services.sessions.domain.agenda import (
    MAX_ITEMS,
    MAX_SUGGESTIONS,
    Known,
    Suggestion,
    TooManyItems,
    Waits,
    put_on,
    suggest,
)
from services.sessions.domain.agreement import Agreement
from services.sessions.domain.commitment import close
from services.sessions.domain.goal import Goal, Wording
from services.sessions.domain.guidance import ADVICE, CODES, advice_of
from services.sessions.domain.misses import of_commitment
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.repair import Wish
from services.sessions.domain.rules import Rules
from services.sessions.domain.terms import Terms
from shared.errors import NotFound
from shared.events.insights import Facet, PartnerSafe, SharedTrust
from shared.ids import GoalId, PersonId, RepairId, derived_id
from tests.unit.sessions.given import (
    DAY,
    DUE,
    ENDED,
    GRACE,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    made,
    promised,
    scheduled,
)

TERMS = Terms(7, 24, ("video",))
ITEM: UUID = derived_id("item")


def agreement(**changed: object) -> Agreement:
    """In force, signed by the mentee, to be met about weekly."""
    signed = Agreement(
        PAIR.tenant, PAIR.pair_id, derived_id("agreement"), 1, TERMS, MENTOR, NOW, signed_at=NOW
    )
    return replace(signed, **changed)  # type: ignore[arg-type]


AGREED = Known(in_force=agreement(), newest=agreement())


def goal() -> Goal:
    """Agreed on now."""
    id_ = GoalId(derived_id("goal"))
    asked, _ = goal_rules.propose(PAIR, id_, MENTEE, Wording("herons"), NOW)
    return goal_rules.agree(PAIR, asked, MENTOR, NOW, 1)[0]


def repair() -> repair_rules.Repair:
    """Promised by the mentee."""
    missed = of_commitment(close(PAIR, promised())[0])
    wish = Wish(MENTEE, missed.missed, DUE + 7 * DAY, "herons")
    id_ = RepairId(derived_id("repair"))
    return repair_rules.promise(PAIR, id_, wish, missed, DUE + GRACE, Rules())[0]


def trust(mentor: Facet | None, mentee: Facet | None) -> PartnerSafe:
    def about(weakest: Facet | None) -> SharedTrust:
        return SharedTrust(score=0.37, low=0.31, high=0.43, band="strained", weakest=weakest)

    return PartnerSafe(as_of=None, about_mentor=about(mentor), about_mentee=about(mentee))


def codes(found: tuple[Suggestion, ...]) -> list[str]:
    return [each.code for each in found]


def to(person: PersonId, known: Known, after: timedelta = timedelta()) -> list[str]:
    return codes(suggest(PAIR, person, known, NOW + after))


def test_a_pair_that_has_agreed_and_owes_nothing_is_suggested_nothing() -> None:
    assert to(MENTOR, AGREED) == to(MENTEE, AGREED) == []


def test_a_new_pair_begins_by_agreeing() -> None:
    assert to(MENTOR, Known()) == ["no_agreement"]


def test_an_agreement_waits_for_who_did_not_propose_it() -> None:
    waiting = Known(newest=agreement(signed_at=None))

    assert to(MENTEE, waiting) == ["agreement_to_sign", "no_agreement"]
    assert to(MENTOR, waiting) == ["no_agreement"]
    (first, _) = suggest(PAIR, MENTEE, waiting, NOW)
    assert first.about == derived_id("agreement")
    withdrawn = Known(newest=agreement(signed_at=None, withdrawn_at=NOW))
    assert to(MENTEE, withdrawn) == ["no_agreement"]


@pytest.mark.parametrize(
    ("review_on", "reviewed_by", "expected"),
    [
        pytest.param(None, (), False, id="none was agreed on"),
        pytest.param(date(2026, 3, 17), (), False, id="in 15 days"),
        pytest.param(date(2026, 3, 16), (), True, id="in 14 days"),
        pytest.param(date(2026, 2, 1), (), True, id="long ago"),
        pytest.param(date(2026, 3, 16), (MENTOR,), False, id="the reader has"),
        pytest.param(date(2026, 3, 16), (MENTEE,), True, id="only the other side has"),
        pytest.param(date(2026, 3, 16), (MENTOR, MENTEE), True, id="both had, last time"),
    ],
)
def test_an_agreement_is_looked_at_again_when_its_day_comes(
    review_on: date | None, reviewed_by: tuple[PersonId, ...], expected: bool
) -> None:
    it = agreement(review_on=review_on, reviewed_by=reviewed_by)

    found = to(MENTOR, Known(in_force=it, newest=it))

    assert found == (["agreement_review"] if expected else [])


def test_a_commitment_is_spoken_of_when_it_is_due_before_the_next_session() -> None:
    for starts_at, expected in ((DUE - INSTANT, []), (DUE, ["commitment_due"])):
        known = replace(AGREED, session=scheduled(starts_at), commitments=[promised()])
        assert to(MENTOR, known) == to(MENTEE, known) == expected
    known = replace(AGREED, session=scheduled(DUE), commitments=[promised()])
    (mine,) = suggest(PAIR, MENTEE, known, NOW)
    (theirs,) = suggest(PAIR, MENTOR, known, NOW)
    assert mine.about == theirs.about == promised().commitment_id
    assert mine.words.startswith("You have")
    assert theirs.words.startswith("The other side has")


def test_without_a_session_ahead_the_cadence_says_what_is_soon() -> None:
    late = replace(AGREED, commitments=[promised(NOW + 7 * DAY + INSTANT)])

    assert to(MENTOR, replace(AGREED, commitments=[promised(NOW + 7 * DAY)])) == ["commitment_due"]
    assert to(MENTOR, late) == []
    assert to(MENTOR, replace(late, in_force=None)) == ["no_agreement", "commitment_due"]


def test_what_nobody_accepted_and_what_is_missed_is_not_due() -> None:
    assert to(MENTOR, replace(AGREED, commitments=[made()])) == []
    late = timedelta(days=7) + GRACE
    assert to(MENTOR, replace(AGREED, commitments=[promised()]), late) == []


def test_a_repair_is_spoken_of_while_it_goes_on() -> None:
    known = replace(AGREED, repairs=[repair()])

    (mine,) = suggest(PAIR, MENTEE, known, DUE + GRACE)
    (theirs,) = suggest(PAIR, MENTOR, known, DUE + GRACE)

    assert mine.code == theirs.code == "repair_open"
    assert (mine.about, mine.words.startswith("You promised")) == (repair().repair_id, True)
    assert theirs.words.startswith("The other side promised")
    assert suggest(PAIR, MENTEE, known, repair().sweep_at) == ()


@pytest.mark.parametrize(
    ("in_force", "days"),
    [
        pytest.param(agreement(), 14, id="two weeks when they meet weekly"),
        pytest.param(None, 28, id="four when they have not agreed"),
    ],
)
def test_a_goal_that_did_not_move_for_two_cadences_is_spoken_of(
    in_force: Agreement | None, days: int
) -> None:
    known = Known(in_force=in_force, newest=in_force, goals=[goal()])

    assert "goal_still" not in to(MENTOR, known, days * DAY - INSTANT)
    assert "goal_still" in to(MENTOR, known, days * DAY)
    moved, _ = goal_progress.progress(PAIR, goal(), goal_progress.Step(MENTEE, 0.1), NOW + DAY, 0)
    assert "goal_still" not in to(MENTOR, replace(known, goals=[moved]), days * DAY)
    reached, _ = goal_progress.progress(PAIR, goal(), goal_progress.Step(MENTEE, 1), NOW, 0)
    assert "goal_still" not in to(MENTOR, replace(known, goals=[reached]), days * DAY)


def test_what_waits_for_the_reader_comes_first_and_once() -> None:
    id_ = repair().repair_id
    known = Known(waiting=[Waits("repair", id_, NOW + 20 * DAY)], repairs=[repair()])

    found = suggest(PAIR, MENTOR, known, DUE + GRACE)

    assert codes(found) == ["reply", "no_agreement"]
    assert (found[0].about, found[0].words) == (
        id_,
        "Something was put right, as the other side says: say whether it was.",
    )


def test_what_no_longer_waits_is_not_asked_for_though_nobody_has_swept() -> None:
    known = replace(AGREED, waiting=[Waits("goal", ITEM, NOW + HOUR)])

    assert to(MENTOR, known, HOUR - INSTANT) == ["reply"]
    assert to(MENTOR, known, HOUR) == []


@pytest.mark.parametrize("facet", list(CODES))
def test_one_suggestion_comes_from_the_facet_that_each_can_care_for(facet: Facet) -> None:
    known = replace(AGREED, trust=trust(facet, None))

    (found,) = suggest(PAIR, MENTOR, known, NOW)

    advice = advice_of(facet, "mentor")
    assert found == Suggestion(CODES[facet], f"{advice.title}: {advice.words}")
    assert to(MENTEE, known) == []


def test_of_honesty_each_side_is_told_what_the_text_asks_of_them() -> None:
    known = replace(AGREED, trust=trust("H", "H"))

    (mentor,) = suggest(PAIR, MENTOR, known, NOW)
    (mentee,) = suggest(PAIR, MENTEE, known, NOW)

    assert "constructive feedback" in mentor.words
    assert "fears and uncertainties" in mentee.words
    assert mentor.words != mentee.words


def test_to_agree_is_suggested_once() -> None:
    assert to(MENTOR, Known(trust=trust("E", None))) == ["no_agreement"]
    assert to(MENTOR, replace(AGREED, trust=trust("E", None))) == ["set_clear_expectations"]


def test_no_suggestion_has_a_number_a_score_or_a_word_of_the_pair_s_own() -> None:
    waiting = [
        Waits(what, derived_id("waits", what))
        for what in ("session", "proposal", "commitment", "repair", "boundary", "goal", "other")
    ]
    known = Known(
        newest=agreement(signed_at=None),
        commitments=[promised()],
        waiting=waiting,
        repairs=[repair()],
        goals=[replace(goal(), moved_at=NOW - 90 * DAY)],
        trust=trust("H", "P"),
    )

    for person in (MENTOR, MENTEE):
        found = suggest(PAIR, person, known, NOW)
        assert len(found) >= 11
        for each in found:
            assert not any(char.isdigit() for char in each.code + each.words)
            words = each.words.lower()
            assert not any(word in words for word in ("score", "strained", "herons"))


def test_an_agenda_stays_readable_and_always_says_what_needs_care() -> None:
    waiting = [Waits("goal", derived_id("waits", str(n))) for n in range(MAX_SUGGESTIONS + 5)]

    found = to(MENTOR, replace(AGREED, waiting=waiting, trust=trust("L", None)))

    assert found == ["reply"] * MAX_SUGGESTIONS + [CODES["L"]]


def test_an_ended_pair_and_a_stranger_are_suggested_nothing() -> None:
    assert suggest(ENDED, MENTOR, Known(trust=trust("L", "L")), NOW) == ()
    with pytest.raises(NotFound):
        suggest(PAIR, STRANGER, Known(), NOW)


def test_every_facet_has_a_code_and_words() -> None:
    assert set(CODES) == set(ADVICE)
    assert len(set(CODES.values())) == len(CODES)


def test_an_item_is_put_on_by_either_while_there_is_room_and_a_pair() -> None:
    item, happened = put_on(PAIR, ITEM, MENTEE, "the talk", NOW, MAX_ITEMS - 1)

    assert (item.written_by, item.text, item.reply, happened) == (MENTEE, "the talk", None, ())
    with pytest.raises(TooManyItems):
        put_on(PAIR, ITEM, MENTEE, "the talk", NOW, MAX_ITEMS)
    with pytest.raises(PairEnded):
        put_on(ENDED, ITEM, MENTEE, "the talk", NOW, 0)
    with pytest.raises(NotFound):
        put_on(PAIR, ITEM, STRANGER, "the talk", NOW, 0)
