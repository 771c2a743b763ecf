"""Which cells of a table, or parts of a whole, have to be hidden, so that none of the small ones can be worked out.

Totals of rows and columns are known to the reader. A hidden cell can be worked out from them exactly where it is a
bridge of the graph whose vertices are rows and columns and whose edges are the hidden cells (Gusfield 1988, A graph
theoretic approach to statistical data security): a cell that is alone in its row or column is the plainest case, and
sums and differences of several totals are the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

Cell = tuple[str, str]
Part = tuple[str, ...]
_Vertex = tuple[int, str]


def hidden_cells(counts: Mapping[Cell, float], least: int) -> set[Cell]:
    """Cells of fewer than `least` cases, and as many others, the smallest first, as it takes to protect them.

    `counts`: cases by (row, column). Empty cells are known to be empty and protect nothing. A cell stays exposed only
    where its rows and columns have nothing left to hide, so that the totals alone tell it.
    """
    hidden = {cell for cell, count in counts.items() if 0 < count < least}
    shown = {cell: count for cell, count in counts.items() if count > 0 and cell not in hidden}
    while exposed := bridges(hidden):
        # The smallest first, since it is the one that most has to be protected.
        choices = (_protecting(hidden, cell, shown) for cell in sorted(exposed, key=lambda one: (counts[one], one)))
        chosen = next((choice for choice in choices if choice is not None), None)
        if chosen is None:
            break
        hidden.add(chosen)
        del shown[chosen]
    return hidden


def hidden_parts(counts: Mapping[Part, int], least: int) -> set[Part]:
    """Parts of one whole of fewer than `least` cases, and the smallest others until those hidden are `least` together.

    The whole is known to the reader, who gets by subtraction what all hidden parts come to, and no more.
    """
    hidden = {part for part, count in counts.items() if 0 < count < least}
    others = sorted((count, part) for part, count in counts.items() if count >= least)
    for _, part in others if hidden else ():
        if sum(counts[one] for one in hidden) >= least:
            break
        hidden.add(part)
    return hidden


def _protecting(hidden: set[Cell], exposed: Cell, shown: Mapping[Cell, float]) -> Cell | None:
    """The shown cell to hide for an exposed one: one that closes a ring, else one beside it, else one in its reach."""
    row, column = exposed
    rest = _neighbours(hidden - {exposed})
    ends = _reached(rest, (0, row)), _reached(rest, (1, column))
    ranked = []
    for cell, count in shown.items():
        here, there = (0, cell[0]), (1, cell[1])
        closes = (here in ends[0] and there in ends[1]) or (here in ends[1] and there in ends[0])
        beside = cell[0] == row or cell[1] == column
        if closes or beside or any(end in side for end in (here, there) for side in ends):
            ranked.append((not closes, not beside, count, cell))
    return min(ranked)[-1] if ranked else None


def _reached(neighbours: Mapping[_Vertex, list[_Vertex]], start: _Vertex) -> set[_Vertex]:
    """Rows and columns that hidden cells connect with one of them, itself among them."""
    reached, waiting = {start}, [start]
    while waiting:
        fresh = set(neighbours.get(waiting.pop(), ())) - reached
        reached |= fresh
        waiting.extend(fresh)
    return reached


def _neighbours(cells: Collection[Cell]) -> dict[_Vertex, list[_Vertex]]:
    found: dict[_Vertex, list[_Vertex]] = {}
    for row, column in sorted(cells):
        found.setdefault((0, row), []).append((1, column))
        found.setdefault((1, column), []).append((0, row))
    return found


def bridges(cells: Collection[Cell]) -> set[Cell]:
    """The hidden cells that can be worked out from the totals of rows and columns and the cells that are shown."""
    neighbours = _neighbours(cells)
    order: dict[_Vertex, int] = {}
    lowest: dict[_Vertex, int] = {}
    found: set[Cell] = set()
    for start in neighbours:
        if start not in order:
            found |= _bridges_from(start, neighbours, order, lowest)
    return found


def _bridges_from(
    start: _Vertex, neighbours: Mapping[_Vertex, list[_Vertex]], order: dict[_Vertex, int], lowest: dict[_Vertex, int]
) -> set[Cell]:
    """Depth first (Tarjan 1974), with a stack of its own: a chain of a thousand teams must not end the run."""
    found: set[Cell] = set()
    order[start] = lowest[start] = len(order)
    stack = [(start, None, iter(neighbours[start]))]
    while stack:
        vertex, parent, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            stack.pop()
            if parent is not None:
                lowest[parent] = min(lowest[parent], lowest[vertex])
                if lowest[vertex] > order[parent]:
                    found.add((vertex[1], parent[1]) if vertex[0] == 0 else (parent[1], vertex[1]))
        elif following not in order:
            order[following] = lowest[following] = len(order)
            stack.append((following, vertex, iter(neighbours[following])))
        elif following != parent:
            lowest[vertex] = min(lowest[vertex], order[following])
    return found
