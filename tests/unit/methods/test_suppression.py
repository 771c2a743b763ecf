"""Small cells stay hidden: checked against what linear algebra can work out of every total that a reader is shown."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from hansei.methods.suppression import bridges, hidden_cells, hidden_parts

LEAST = 10


def worked_out(counts: dict[tuple[str, str], int], hidden: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Hidden cells whose value follows from the totals: their unit vector lies in the span of the equations."""
    cells = sorted(hidden)
    lines = [*{("row", row) for row, _ in cells}, *{("column", column) for _, column in cells}]
    system = np.array(
        [[1.0 if cell[0 if kind == "row" else 1] == name else 0.0 for cell in cells] for kind, name in lines]
    ).reshape(len(lines), len(cells))
    rank = np.linalg.matrix_rank(system) if cells else 0
    found = set()
    for at, cell in enumerate(cells):
        unit = np.zeros((1, len(cells)))
        unit[0, at] = 1.0
        if np.linalg.matrix_rank(np.vstack([system, unit])) == rank:
            found.add(cell)
    return found


def table(rows: int, columns: int, seed: int) -> dict[tuple[str, str], int]:
    dice = random.Random(seed)
    return {
        (f"team {row}", f"channel {column}"): dice.choice((0, 3, 8, 12, 25, 60))
        for row, column in itertools.product(range(rows), range(columns))
    }


def test_a_cell_that_is_alone_in_its_row_and_column_takes_three_others_with_it() -> None:
    """Two teams, two channels: 4 follows from either total, so the whole square has to go."""
    counts = {("a", "mail"): 40, ("a", "chat"): 30, ("b", "mail"): 20, ("b", "chat"): 4}
    assert hidden_cells(counts, LEAST) == set(counts)


def test_the_smallest_that_protects_is_hidden() -> None:
    counts = {
        ("a", "mail"): 40,
        ("a", "chat"): 12,
        ("a", "web"): 50,
        ("b", "mail"): 21,
        ("b", "chat"): 4,
        ("b", "web"): 90,
    }
    assert hidden_cells(counts, LEAST) == {("b", "chat"), ("a", "chat"), ("b", "mail"), ("a", "mail")}


def test_where_nothing_is_small_nothing_is_hidden() -> None:
    assert hidden_cells({("a", "mail"): 10, ("b", "mail"): 0, ("b", "chat"): 11}, LEAST) == set()


def test_a_team_of_one_channel_is_told_by_its_total_whatever_is_hidden() -> None:
    assert hidden_cells({("a", "mail"): 4, ("b", "mail"): 40}, LEAST) >= {("a", "mail")}


@pytest.mark.parametrize("seed", range(60))
def test_no_hidden_cell_can_be_worked_out_from_all_totals(seed: int) -> None:
    counts = table(2 + seed % 5, 2 + seed % 4, seed)
    hidden = hidden_cells(counts, LEAST)
    small = {cell for cell, count in counts.items() if 0 < count < LEAST}
    assert small <= hidden
    everything = {cell for cell, count in counts.items() if count}
    assert worked_out(counts, hidden) <= worked_out(counts, everything)


@pytest.mark.parametrize("seed", range(40))
def test_bridges_are_what_linear_algebra_finds(seed: int) -> None:
    dice = random.Random(seed)
    cells = {cell for cell in table(4, 4, seed) if dice.random() < 0.45}
    assert bridges(cells) == worked_out(dict.fromkeys(cells, 1), cells)


@pytest.mark.parametrize("seed", range(40))
def test_what_all_shown_parts_leave_of_the_whole_is_nothing_or_enough(seed: int) -> None:
    dice = random.Random(seed)
    counts = {(f"part {number}",): dice.choice((0, dice.randrange(15), dice.randrange(60))) for number in range(6)}
    hidden = hidden_parts(counts, LEAST)
    assert {part for part, count in counts.items() if 0 < count < LEAST} <= hidden
    left = sum(counts.values()) - sum(count for part, count in counts.items() if part not in hidden)
    assert left == 0 or left >= LEAST or all(part in hidden for part, count in counts.items() if count)


def test_of_parts_the_smallest_that_helps_is_hidden_and_no_more() -> None:
    assert hidden_parts({("chat",): 14, ("mail",): 10, ("phone",): 9}, 10) == {("phone",), ("mail",)}
    assert hidden_parts({("chat",): 14, ("mail",): 6, ("phone",): 9}, 10) == {("phone",), ("mail",)}
    assert hidden_parts({("chat",): 14, ("mail",): 10, ("phone",): 0}, 10) == set()
