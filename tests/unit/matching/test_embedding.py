"""What somebody says as a vector: alike is near, the same everywhere, and blind to who they are."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations, product
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.engine.embedding import DIM, embed
from services.matching.engine.words import PROTECTED, words

ROOT = Path(__file__).parents[3]
CODES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), max_size=8)
TEXTS = st.text(max_size=200)
# Each family is about one thing; two families have nothing to do with each other.
FAMILIES = (
    ("data_science", "data_engineering", "data_analysis"),
    ("people_management", "product_management", "change_management"),
    ("public_speaking", "speaking_to_customers"),
    ("career_growth", "career_change", "second_career"),
    ("machine_learning", "learning_machines"),
)
SAYS = "I want to lead a team and to speak in front of customers"


def cosine(one: tuple[str, ...], other: tuple[str, ...], text: str = "", about: str = "") -> float:
    return float(embed(one, text) @ embed(other, about))


@given(CODES, TEXTS)
def test_it_is_of_length_one_or_nothing(topics: list[str], text: str) -> None:
    found = embed(topics, text)

    assert found.shape == (DIM,)
    assert found.dtype == np.float32
    length = float(np.linalg.norm(found.astype(np.float64)))
    assert length == pytest.approx(1, abs=1e-6) or not found.any()


@given(CODES, st.lists(st.sampled_from(["team", "lead", "sales", "go"]), max_size=12), st.randoms())
def test_the_order_of_topics_and_of_words_says_nothing(
    topics: list[str], said: list[str], shuffle: st.DataObject
) -> None:
    before = embed(topics, " ".join(said))
    shuffle.shuffle(topics)  # type: ignore[attr-defined]
    shuffle.shuffle(said)  # type: ignore[attr-defined]
    assert np.array_equal(before, embed(topics, " ".join(said)))


def test_codes_that_have_a_word_in_common_are_nearer_than_those_that_have_none() -> None:
    alike = [cosine((a,), (b,)) for each in FAMILIES for a, b in combinations(each, 2)]
    apart = [
        cosine((a,), (b,))
        for one, other in combinations(FAMILIES, 2)
        for a, b in product(one, other)
    ]

    assert min(alike) > 0.2
    assert mean(alike) > 0.3
    assert abs(mean(apart)) < 0.05
    assert mean(each < min(alike) for each in apart) > 0.95


def test_a_word_of_a_text_is_near_the_code_and_near_its_own_kin() -> None:
    assert cosine(("negotiation",), (), about="I have years of negotiation behind me") > 0.3
    assert cosine((), (), "engineer", "engineering") > 0.25
    assert cosine((), (), "Führung", "fuhrung") == pytest.approx(1)


def test_what_is_said_twice_counts_more_and_not_twice() -> None:
    once, often = "sales legal legal", "sales legal legal legal legal legal legal legal legal"
    assert cosine((), (), once, "legal") < cosine((), (), often, "legal") < 0.99


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("I would like to learn more about the", id="English"),
        pytest.param("ich möchte gern mehr über das", id="German"),
        pytest.param("je suis avec vous dans le", id="French"),
        pytest.param("quiero más para el", id="Spanish"),
        pytest.param("1979, 46", id="numbers, which may be an age"),
        pytest.param("", id="nothing"),
    ],
)
def test_words_that_say_nothing_are_nothing(text: str) -> None:
    assert words(text) == []
    assert not embed((), text).any()


@pytest.mark.parametrize("word", sorted(PROTECTED))
def test_gender_ethnicity_faith_and_age_do_not_move_the_vector(word: str) -> None:
    plain = embed(("sales",), SAYS)
    assert np.array_equal(plain, embed(("sales",), f"{SAYS}. I am {word}, {word.upper()}!"))


def test_nor_do_they_as_part_of_a_code() -> None:
    assert np.array_equal(embed(("women_in_tech",), ""), embed(("men_in_tech",), ""))
    assert not embed(("women",), "").any()


def test_another_process_says_the_same_to_the_last_bit() -> None:
    code = (
        "from services.matching.engine.embedding import embed;"
        f"print(embed(('data_science', 'sales'), {SAYS!r}).tobytes().hex())"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "4711"}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, check=True, capture_output=True
    )
    assert said.stdout.decode().strip() == embed(("sales", "data_science"), SAYS).tobytes().hex()


def test_it_stays_what_it_was_when_points_were_kept_by_it() -> None:
    # Who has to change these numbers needs a migration, too, that has every point made anew.
    whole = np.rint(embed(("data_science",), SAYS) * 1000).astype(int)
    assert whole[:8].tolist() == [1, 276, -111, 28, 4, -55, 174, -34]
