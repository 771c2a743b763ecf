"""What became of earlier actions: each with its indicator before and since, and the word of its effect."""

from __future__ import annotations

from dataclasses import dataclass

from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale
from hansei.reviews.prospects import EarlierAction
from hansei.reviews.standing import titled

# From what asks for something to what only waits.
ORDER = ("worse", "no_evidence", "likely_worked", "worked", "too_early")


@dataclass(frozen=True)
class ActionView:
    """One action. `effect` is its key, `word` what people read."""

    title: str
    owner: str
    indicator: str
    since: str
    before: str
    after: str
    effect: str
    word: str


def view_actions(evidence: Evidence, words: Locale) -> tuple[ActionView, ...]:
    """Every earlier action, those first that did not help."""
    ordered = sorted(evidence.earlier_actions, key=lambda a: (ORDER.index(a.effect), a.since, a.action_id))
    return tuple(_view(action, words) for action in ordered)


def _view(action: EarlierAction, words: Locale) -> ActionView:
    return ActionView(
        title=words.name(action.title, 160),
        owner=words.name(action.owner) if action.owner else words.say("earlier_actions.nobody"),
        indicator=titled(action.indicator_title, action.segment_id, action.segment_label, words),
        since=words.day(action.since),
        before=words.figure(action.before, action.unit),
        after=words.figure(action.after, action.unit),
        effect=action.effect,
        word=words.say(f"earlier_actions.effect.{action.effect}"),
    )
