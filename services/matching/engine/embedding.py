"""What somebody says of themselves as a short vector: near is alike. Asks no model and no network.

Features are hashed to signs (Weinberger et al., "Feature Hashing for Large Scale Multitask
Learning", ICML 2009), each to one of every dimension (Achlioptas, "Database-friendly random
projections", 2003): inner products are kept on average, with a spread of 1/8 in 64 dimensions.
Features are codes, their words and the words of the text, and pieces of three letters of a word,
so that "engineer" and "engineering" are near. What is said often counts by
the logarithm of how often. Sums are of whole numbers: the same on every machine, in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import isqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.matching.engine.words import words

DIM = 64

Floats: TypeAlias = NDArray[np.float32]
Longs: TypeAlias = NDArray[np.int64]

# A topic was chosen from a list; a word may stand in a text by chance.
_CODE, _WORD_OF_CODE, _WORD_OF_TEXT = 3, 3, 2
# A whole word counts this much, and its pieces together three quarters of it.
_WHOLE = 64
_PIECES_SQUARED = 2304
# A few thousand words are most of what is ever said; 512 bytes each.
_REMEMBERED = 16_384


def embed(topics: Sequence[str], text: str) -> Floats:
    """What these codes and words say: (DIM,) float32 of length one, or zeros for nothing said.

    Deterministic over machines and runs; neither the order of topics nor that of words matters.
    """
    whole = np.zeros(DIM, np.int64)
    for topic in set(topics):
        whole += _topic(topic)
    if text:
        said = Counter(words(text))
        # The bit length is the logarithm rounded up, and exact.
        weights = np.array([_WORD_OF_TEXT * times.bit_length() for times in said.values()])
        if said:
            whole += weights @ np.array([_word(word) for word in said])
    return _unit(whole)


@lru_cache(maxsize=_REMEMBERED)
def _topic(topic: str) -> Longs:
    """A code and its words: codes that have a word in common are near."""
    parts = words(topic)
    whole = np.zeros(DIM, np.int64)
    if len(parts) > 1:
        whole += _CODE * _WHOLE * _signs(" ".join(parts))
    for word in parts:
        whole += _WORD_OF_CODE * _word(word)
    return whole


@lru_cache(maxsize=_REMEMBERED)
def _word(word: str) -> Longs:
    """A word and its pieces: alike words have pieces in common."""
    framed = f"^{word}$"
    pieces = {framed[at : at + 3] for at in range(len(framed) - 2)}
    of_pieces = sum((_signs(f"#{piece}") for piece in pieces), np.zeros(DIM, np.int64))
    return _WHOLE * _signs(word) + isqrt(_PIECES_SQUARED // len(pieces)) * of_pieces


def _signs(feature: str) -> Longs:
    """DIM signs that are the feature's own: bits of a hash that is the same everywhere."""
    digest = blake2b(feature.encode(), digest_size=DIM // 8).digest()
    bits = np.unpackbits(np.frombuffer(digest, np.uint8))
    return bits.astype(np.int64) * 2 - 1


def _unit(whole: Longs) -> Floats:
    length = np.sqrt(float(np.dot(whole, whole)))
    if not length:
        return np.zeros(DIM, np.float32)
    return np.asarray(whole / length, dtype=np.float32)
