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


class _Rule:
    def __init__(self, rule: str) -> None:
        self.id = self.rule = rule


_RULES = ("own_id", "external_id", "organisation", "email_hash", "email_domain")


class _Links:
    account_rules = tuple(_Rule(rule) for rule in _RULES)
    public_email_domains = "'example.org'"


links = _Links()


def only(column: str) -> str:
    """The condition that limits a source to the keys that changed."""
    return f"{column} IS NOT NULL"
