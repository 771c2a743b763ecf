"""Dated notes in words: what people wrote for the review, and what the catalog and the warehouse know by themselves."""

from __future__ import annotations

from hansei.catalog.reviews import WHOLE
from hansei.reviews import standing
from hansei.reviews.evidence import Note
from hansei.reviews.locales import Locale


def told(note: Note, words: Locale, longest: int) -> str:
    """The note's text, without its day."""
    if note.kind == "said":
        return words.name(note.text, longest)
    parts = {"what": words.name(note.what, longest)}
    if note.kind == "calendar":
        place = standing.place(note, words, WHOLE)
        return words.say("notes.calendar", place=place[:1].upper() + place[1:], **parts)
    if note.kind == "outage":
        if note.seconds is None:
            return words.say("notes.outage_open", **parts)
        return words.say("notes.outage", duration=words.figure(note.seconds, "seconds"), **parts)
    return words.say(f"notes.{note.kind}", **parts)
