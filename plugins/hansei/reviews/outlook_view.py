"""The outlook as the brief shows it: what the next periods will probably be, how sure that is, what has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from hansei.reviews.evidence import Evidence, IndicatorEvidence
from hansei.reviews.locales import Locale
from hansei.reviews.outlook_chart import fan_chart, whole
from hansei.reviews.prospects import Chance, Outlook

# Below this a breach is called unlikely (docs/forecasts.md).
UNLIKELY = 0.1


@dataclass(frozen=True)
class OutlookView:
    """`warning`: the sentence of the limit that is likeliest to be missed; empty where none is worth a thought."""

    id: str
    title: str
    sentences: tuple[str, ...]
    chart: Markup
    warning: str


@dataclass(frozen=True)
class Ahead:
    """Those likeliest to miss a limit come first. `unsaid`: one line for each reason why there is no outlook."""

    views: tuple[OutlookView, ...]
    unsaid: tuple[str, ...]


def view_outlook(evidence: Evidence, words: Locale) -> Ahead | None:
    """The outlooks of the evidence; None where it has none at all."""
    if not evidence.outlooks:
        return None
    sound = sorted((outlook for outlook in evidence.outlooks if outlook.state == "ok"), key=_risen)
    return Ahead(tuple(_view(evidence, outlook, words) for outlook in sound), tuple(_unsaid(evidence, words)))


def _risen(outlook: Outlook) -> float:
    """Sort key: the greatest chance of missing a limit that is worth a thought; else as the indicators stand."""
    likeliest = _likeliest(outlook)
    return -likeliest.probability if likeliest else 0.0


def _likeliest(outlook: Outlook) -> Chance | None:
    chances = [chance for chance in outlook.chances if chance.probability >= UNLIKELY]
    return max(chances, key=lambda chance: chance.probability, default=None)


def _view(evidence: Evidence, outlook: Outlook, words: Locale) -> OutlookView:
    indicator = evidence.indicator(outlook.indicator_id)
    sentences = tuple(_sentences(evidence, outlook, indicator, words))
    title, now = words.name(indicator.title), words.short_period(evidence.grain, evidence.period_start)
    ahead = words.say("outlook.ahead", title=title, period=now)
    spoken = words.together((ahead, *sentences))
    likeliest, is_one_of_two = _likeliest(outlook), len(outlook.chances) > 1
    return OutlookView(
        id=indicator.indicator_id,
        title=title,
        sentences=sentences,
        chart=fan_chart(
            indicator, outlook, evidence.grain, evidence.period_start, f"o-{indicator.indicator_id}", spoken, words
        ),
        warning=_chance(evidence, likeliest, is_one_of_two, indicator, words) if likeliest else "",
    )


def _sentences(evidence: Evidence, outlook: Outlook, indicator: IndicatorEvidence, words: Locale) -> Iterable[str]:
    """What is expected at the end, the chance of missing each limit, and how near such forecasts came."""
    end = outlook.periods[-1]
    yield words.say(
        "outlook.expected",
        period=words.short_period(evidence.grain, end.period_start),
        value=words.figure(whole(end.value, indicator.unit), indicator.unit),
        interval=words.interval(
            *(whole(b, indicator.unit) for b in (end.lower_bound, end.upper_bound)), indicator.unit
        ),
        confidence=words.percent(outlook.confidence),
    )
    for chance in outlook.chances:
        yield _chance(evidence, chance, len(outlook.chances) > 1, indicator, words)
    if end.mean_error is not None:
        error = words.difference(whole(end.mean_error, indicator.unit), indicator.unit, signed=False)
        yield words.say("outlook.error", count=end.tried, error=error)
    if outlook.error_ratio is not None and outlook.error_ratio > 1:
        yield words.say("outlook.no_better")


def _chance(
    evidence: Evidence, chance: Chance, is_one_of_two: bool, indicator: IndicatorEvidence, words: Locale
) -> str:
    limit = words.limit(chance.limit, indicator.unit, chance.is_upper)
    parts = {
        "limit": words.say(f"outlook.limit.{chance.level}", limit=limit) if is_one_of_two else limit,
        "chance": words.chance(chance.probability),
        "period": words.short_period(evidence.grain, chance.period_start),
    }
    return words.say("outlook.unlikely" if chance.probability < UNLIKELY else "outlook.chance", **parts)


def _unsaid(evidence: Evidence, words: Locale) -> Iterable[str]:
    for state in ("no_value_now", "too_few_periods"):
        found = [outlook for outlook in evidence.outlooks if outlook.state == state]
        if found:
            titles = [words.name(evidence.indicator(outlook.indicator_id).title) for outlook in found]
            yield words.say(f"outlook.{state}", titles=words.listed(titles))
