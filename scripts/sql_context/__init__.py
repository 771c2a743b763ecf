"""What sqlfluff sees in place of our Jinja context, so that a model can be linted before any engine is there.

Each macro renders as a plain function call of the same name: the layout rules judge how a model is written, while
the rendered text of every engine is parsed by the tests.
"""

from __future__ import annotations


class _Macro(str):
    """`sql.ratio` as text, `sql.ratio(a, b)` as the call `ratio(a, b)`."""

    def __call__(self, *arguments: object) -> str:
        return f"{self}({', '.join(str(argument) for argument in arguments)})"


class _Macros:
    def __getattr__(self, name: str) -> _Macro:
        return _Macro(name)


sql = _Macros()


def ref(table: str) -> str:
    """The name of a table as other models write it."""
    return table
