"""Message catalogues: every language says the same things with the same parts, and nothing is said in vain."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest

from hansei.indicators.wording import COUNTING
from hansei.reviews.locales import LANGUAGES, locale
from hansei.settings import SHIPPED_INCLUDE
from hansei.signals import verdicts

PLUGINS = SHIPPED_INCLUDE.parent / "plugins" / "hansei"
# A language decides which parts of a date it writes, and the board records in English what digests say again.
MAY_LEAVE_OUT = ("dates", "verdicts", "news")
FORMS = {"zero", "one", "two", "few", "many", "other"}
# Looked up by a word from the data, with a fallback where there is none.
BY_WORD = (
    "nouns",
    "things",
    "units_counted",
    "dimensions",
    "values",
    "entities",
    "exclusions",
    "caveats",
    "rule_names",
)


def messages(language: str) -> dict[str, list[str]]:
    """Key -> its sentences, one for each plural form."""
    found: dict[str, list[str]] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict) and not set(node) <= FORMS:
            for key, item in node.items():
                walk(item, f"{path}.{key}" if path else key)
        else:
            found[path] = list(node.values()) if isinstance(node, dict) else [node]

    walk(locale(language).words, "")
    return found


def parts(sentences: list[str]) -> set[str]:
    return {name for text in sentences for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_language_has_every_message_with_the_same_parts(language: str) -> None:
    english, other = messages("en"), messages(language)
    assert len(english) > 400
    assert other.keys() == english.keys()
    differing = {key for key in english if parts(other[key]) != parts(english[key])}
    assert {key for key in differing if not key.startswith(MAY_LEAVE_OUT)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_language(language: str) -> None:
    import babel

    wanted = set(babel.Locale.parse(language).plural_form.tags) | {"other"}
    found = [node for node in _nodes(locale(language).words) if isinstance(node, dict) and set(node) <= FORMS]
    assert len(found) > 20
    assert all(set(node) == wanted for node in found)


def _nodes(node: Any) -> list[Any]:
    return [node, *(inner for item in node.values() for inner in _nodes(item))] if isinstance(node, dict) else [node]


def sources() -> str:
    files = [*PLUGINS.rglob("*.py"), *(SHIPPED_INCLUDE / "templates").rglob("*.j2")]
    return "\n".join(path.read_text("utf-8") for path in files)


def test_every_message_is_used_and_every_one_used_exists() -> None:
    known, text = set(messages("en")), sources()
    said = set(re.findall(r"""\bsay\(\s*["']([a-z_.]+)["']""", text))
    assert len(said) > 150
    groups = {key.rpartition(".")[0] for key in known}
    assert {key for key in said if key not in known and key.rstrip(".") not in groups} == set()
    # Keys made at run time, `say(f"causes.{what}")` and `say("page.level." ~ level)`, and those handed on as a text.
    made = re.findall(r'f"([a-z_]+\.[^"\n]*)"', text)
    made += [f"{key}{{word}}" for key in re.findall(r"""["']([a-z_.]+[._])["'] ~""", text)]
    patterns = [re.compile(re.sub(r"\\{.*?\\}", "[a-z_0-9]+", re.escape(key))) for key in made if "{" in key]
    whole = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*)["']""", text))
    looked_up = tuple(f"{group}." for group in BY_WORD)
    over = {key for key in known if key.startswith("grains.")}
    assert {key.split(".", 2)[2] for key in over} <= known
    rest = {key for key in known - whole - over if not key.startswith(looked_up)}
    assert len(rest) < len(known) / 2
    assert {key for key in rest if not any(pattern.fullmatch(key) for pattern in patterns)} == set()


def test_the_english_of_a_verdict_is_the_sentence_that_is_stored() -> None:
    words = locale("en")
    for grain in ("day", "week", "month", "quarter"):
        times = {"this": words.say(f"verdicts.this.{grain}"), "periods": words.say(f"verdicts.periods.{grain}")}
        for key, text in verdicts.REASONS.items():
            assert words.say(f"verdicts.reasons.{key}", **times) == text.format(period=grain)
        told = verdicts.recognised(grain)
        patterns = {key for key in told.values() if key.startswith("patterns.")}
        assert len(patterns) >= 12
        for sentence, key in told.items():
            if key in patterns:
                pattern = words.words["verdicts"]["patterns"][key.partition(".")[2]]
                sides = (pattern.format(side=side, **times) for side in ("worse", "better", "higher", "lower"))
                assert sentence.partition(": ")[2].rstrip(".") in sides


def test_the_english_of_how_an_indicator_is_counted_is_that_of_the_other_pages() -> None:
    assert locale("en").words["counting"] == COUNTING
