"""Terms that come up together in texts which nobody has named yet: TF-IDF and a non-negative factorisation.

Sources: Lee & Seung 2001 (multiplicative updates), Boutsidis & Gallopoulos 2008 (NNDSVD, a start without chance).
Everything is worked out from the texts in one order of their own, so that the order of the rows makes no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

# Below so many texts a factor is an accident, and so is one that fewer of them are about.
LEAST_TEXTS, LEAST_MEMBERS = 50, 5
MOST_TERMS, MOST_FACTORS = 400, 8
NAMED_BY = 3  # strongest terms
_TEXTS_PER_FACTOR = 20
_STEPS = 100
# Of the strongest term's weight, what a term has to have to name its factor.
_STRONG = 0.3
# Cosine of a factor with its like in either half of the texts, from which on it is there and no accident.
_STABLE = 0.8
_NEXT_TO_NOTHING = 1e-12


@dataclass(frozen=True)
class Theme:
    """Terms that come up together, the strongest first, and how many texts hold two of them or more."""

    terms: tuple[str, ...]
    count: int


def themes(texts: Sequence[Sequence[str]]) -> list[Theme]:
    """What texts, given as their terms, are about: stable factors only, the commonest first; none of too few texts."""
    ordered = sorted(tuple(sorted(set(text))) for text in texts)
    if len(ordered) < LEAST_TEXTS:
        return []
    terms = _vocabulary(ordered)
    if len(terms) < NAMED_BY:
        return []
    weights = _weights(ordered, terms)
    factors = _factors(weights)
    halves = [_factors(weights[start::2]) for start in (0, 1)]
    found: dict[frozenset[str], Theme] = {}
    for factor in factors:
        named = _named(factor, terms)
        count = len(members(texts, named))
        is_stable = all((half @ factor).max(initial=0.0) >= _STABLE for half in halves)
        if len(named) > 1 and is_stable and count >= LEAST_MEMBERS:
            found.setdefault(frozenset(named), Theme(named, count))
    return sorted(found.values(), key=lambda theme: (-theme.count, theme.terms))


def members(texts: Sequence[Sequence[str]], terms: Sequence[str]) -> list[int]:
    """Positions of the texts that hold at least two of the terms."""
    return [at for at, text in enumerate(texts) if len(set(text) & set(terms)) >= 2]


def _vocabulary(texts: Sequence[Sequence[str]]) -> list[str]:
    """Terms that several texts hold and not nearly all, the commonest if they are many; in alphabetical order."""
    held = Counter(term for text in texts for term in text)
    usable = [term for term, count in held.items() if LEAST_MEMBERS <= count <= 0.8 * len(texts)]
    return sorted(sorted(usable, key=lambda term: (-held[term], term))[:MOST_TERMS])


def _weights(texts: Sequence[Sequence[str]], terms: Sequence[str]) -> sparse.csr_array:
    """TF-IDF, shape (texts, terms): a term counts once a text, rare ones more; texts have the length one.

    Sparse, since a text holds few of the terms, and since dense products would be shared out among busy processors.
    """
    from scipy import sparse

    position = {term: at for at, term in enumerate(terms)}
    holds = np.zeros((len(texts), len(terms)))
    for at, text in enumerate(texts):
        holds[at, [position[term] for term in text if term in position]] = 1.0
    weights = holds * (np.log((1 + len(texts)) / (1 + holds.sum(axis=0))) + 1)
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return sparse.csr_array(weights / np.maximum(lengths, _NEXT_TO_NOTHING))


def _factors(weights: sparse.csr_array) -> np.ndarray:
    """Factors over the terms, shape (factors, terms), each of length one."""
    count = int(np.clip(weights.shape[0] // _TEXTS_PER_FACTOR, 2, MOST_FACTORS))
    loads, factors = _start(weights, min(count, *weights.shape))
    for _ in range(_STEPS):
        factors *= (weights.T @ loads).T / np.maximum(loads.T @ loads @ factors, _NEXT_TO_NOTHING)
        loads *= (weights @ factors.T) / np.maximum(loads @ (factors @ factors.T), _NEXT_TO_NOTHING)
    return factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), _NEXT_TO_NOTHING)


def _start(weights: sparse.csr_array, count: int) -> tuple[np.ndarray, np.ndarray]:
    """NNDSVD with the mean in place of zeros, which multiplicative updates could never leave."""
    # By the terms' own products: there are at most some hundred terms, however many texts.
    squares, vectors = np.linalg.eigh((weights.T @ weights).toarray())
    right = vectors.T[::-1][:count]
    sizes = np.sqrt(np.maximum(squares[::-1][:count], 0))
    left = (weights @ right.T) / np.maximum(sizes, _NEXT_TO_NOTHING)
    loads, factors = np.zeros((weights.shape[0], count)), np.zeros((count, weights.shape[1]))
    for at in range(count):
        sides = []
        for sign in (1.0, -1.0):
            u, v = np.maximum(sign * left[:, at], 0), np.maximum(sign * right[at], 0)
            sides.append((np.linalg.norm(u) * np.linalg.norm(v), u, v))
        size, u, v = max(sides, key=lambda side: side[0])
        scale = np.sqrt(sizes[at] * size)
        loads[:, at] = scale * u / max(np.linalg.norm(u), _NEXT_TO_NOTHING)
        factors[at] = scale * v / max(np.linalg.norm(v), _NEXT_TO_NOTHING)
    mean = weights.mean()
    loads[loads == 0], factors[factors == 0] = mean, mean
    return loads, factors


def _named(factor: np.ndarray, terms: Sequence[str]) -> tuple[str, ...]:
    """The strongest terms of a factor; of equal ones the first by alphabet, whatever the last bits say."""
    ranked = sorted(range(len(terms)), key=lambda at: (-round(float(factor[at]), 4), terms[at]))[:NAMED_BY]
    return tuple(terms[at] for at in ranked if factor[at] >= _STRONG * factor[ranked[0]])
