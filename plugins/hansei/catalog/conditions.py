"""SQL conditions in definitions: that they are conditions, and which columns they name."""

from __future__ import annotations

from functools import cache


class NoCondition(ValueError):
    """The text is no SQL condition, or is more than one; the message says which."""


@cache
def condition_columns(condition: str) -> frozenset[str]:
    """Columns that a condition names; parsed once, since every grain and night asks again. Raises NoCondition."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(f"SELECT 1 FROM t WHERE {condition}", dialect="postgres")
    except SqlglotError:
        raise NoCondition(f"{condition!r} is not a SQL condition") from None
    if not isinstance(tree, exp.Select) or tree.find(exp.Subquery) or len(list(tree.find_all(exp.Select))) > 1:
        raise NoCondition(f"{condition!r} is more than a condition")
    return frozenset(column.name for column in tree.find_all(exp.Column))
