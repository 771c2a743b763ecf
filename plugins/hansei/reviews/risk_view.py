"""The risk register as the brief shows it: a matrix with each risk's number, the risks, and what a year could cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hansei.methods.risks import grade, risk_score
from hansei.reviews.evidence import Evidence
from hansei.reviews.locales import Locale
from hansei.reviews.prospects import KeyIndicator, Register, Risk
from hansei.reviews.standing import titled

BANDS = (1, 2, 3, 4, 5)
GRADES = ("extreme", "high", "moderate", "low")


@dataclass(frozen=True)
class MatrixCell:
    """`grade`: its key; `letter` tells it without colour; `numbers` are the risks that lie there."""

    grade: str
    letter: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class MatrixRow:
    band: int
    word: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class KeyView:
    sentence: str
    leads: str
    is_beyond: bool


@dataclass(frozen=True)
class RiskView:
    """One risk. `number` is its place in the matrix's order: R1 is the gravest."""

    number: str
    title: str
    grade: str
    graded: str
    sentences: tuple[str, ...]
    keys: tuple[KeyView, ...]
    control: str
    owner: str


@dataclass(frozen=True)
class RegisterView:
    """`columns`: the consequences' bands with their words; `rows`: likelihoods, the greatest first."""

    period: str
    sentences: tuple[str, ...]
    columns: tuple[tuple[int, str], ...]
    rows: tuple[MatrixRow, ...]
    risks: tuple[RiskView, ...]


def view_registers(evidence: Evidence, words: Locale) -> tuple[RegisterView, ...]:
    """Every register of the evidence: one for each grain that risks are watched at."""
    return tuple(_register(register, words) for register in evidence.registers)


def _register(register: Register, words: Locale) -> RegisterView:
    numbers = {risk.risk_id: f"R{at}" for at, risk in enumerate(register.risks, 1)}
    return RegisterView(
        period=words.short_period(register.grain, register.period_start),
        sentences=tuple(_sentences(register, words)),
        columns=tuple((band, words.say(f"risks.consequence.band_{band}")) for band in BANDS),
        rows=tuple(_row(register, band, numbers, words) for band in reversed(BANDS)),
        risks=tuple(_risk(register, risk, numbers, words) for risk in register.risks),
    )


def _row(register: Register, likelihood: int, numbers: dict[str, str], words: Locale) -> MatrixRow:
    cells = []
    for consequence in BANDS:
        here = [r for r in register.risks if (r.likelihood, r.consequence) == (likelihood, consequence)]
        found = grade(risk_score(likelihood, consequence))
        letter = words.say(f"risks.letter.{found}")
        cells.append(MatrixCell(found, letter, tuple(numbers[risk.risk_id] for risk in here)))
    return MatrixRow(likelihood, words.say(f"risks.likelihood.band_{likelihood}"), tuple(cells))


def _sentences(register: Register, words: Locale) -> Iterable[str]:
    """How many of which grade, what a year could cost, and what is not judged."""
    graded = [risk.grade for risk in register.risks if risk.grade]
    if graded:
        counted = [words.say(f"risks.graded.{key}", count=graded.count(key)) for key in GRADES if graded.count(key)]
        yield words.say("risks.summary", count=len(graded), graded=words.say("risks.between_graded").join(counted))
    if (losses := register.losses) is not None:
        money = {
            "expected": words.money(losses.expected_loss, losses.currency),
            "bad": words.money(losses.value_at_risk_95, losses.currency),
        }
        yield words.say("risks.losses", **money)
        if losses.priced_cause_count < losses.cause_count:
            parts = {"priced": words.number(losses.priced_cause_count), "count": losses.cause_count}
            yield words.say("risks.priced", **parts)
    few = [words.name(risk.title) for risk in register.risks if risk.grade is None]
    if few:
        yield words.say("risks.too_few", titles=words.listed(few))
    if register.waiting:
        yield words.say("risks.waiting", titles=words.listed([words.name(title) for title in register.waiting]))


def _risk(register: Register, risk: Risk, numbers: dict[str, str], words: Locale) -> RiskView:
    graded = ""
    if risk.grade is not None:
        graded = words.say("risks.grade_and_score", grade=words.say(f"risks.grade.{risk.grade}"), score=risk.score)
    return RiskView(
        number=numbers[risk.risk_id],
        title=words.name(risk.title, 120),
        grade=risk.grade or "",
        graded=graded,
        sentences=tuple(_told(register, risk, numbers, words)),
        keys=tuple(_key(item, words) for item in risk.key_indicators),
        control=words.name(risk.control, 240),
        owner=words.name(risk.owner),
    )


def _told(register: Register, risk: Risk, numbers: dict[str, str], words: Locale) -> Iterable[str]:
    """Likelihood and where it comes from, how the indicator stands, consequence, money, cause, what would remain."""
    periods = words.count(risk.period_count, register.grain)
    parts = {
        "title": titled(risk.indicator_title, risk.segment_id, risk.segment_label, words),
        "limit": words.limit(risk.limit, risk.unit, risk.is_upper),
    }
    yield words.say("risks.breaching", count=risk.breaching_count, periods=periods, **parts)
    if risk.value is not None:
        yield words.say("risks.now", value=words.figure(risk.value, risk.unit))
    consequence = words.say(f"risks.consequence.band_{risk.consequence}")
    if risk.probability is None:
        yield words.say("risks.not_judged", consequence=consequence)
    else:
        likelihood = words.say(f"risks.likelihood.band_{risk.likelihood}")
        chance = words.chance(risk.probability)
        yield words.say("risks.judged", likelihood=likelihood, chance=chance, consequence=consequence)
    if risk.trend in ("rising", "falling"):
        yield words.say(f"risks.trend.{risk.trend}")
    if risk.expected_loss is not None and risk.value_at_risk_95 is not None:
        money = {"expected": words.money(risk.expected_loss, risk.currency)}
        yield words.say("risks.loss", **money, bad=words.money(risk.value_at_risk_95, risk.currency))
    if not risk.is_counted and risk.grade is not None:
        other = next(r for r in register.risks if r.cause == risk.cause and r.is_counted)
        yield words.say("risks.shared", number=numbers[other.risk_id])
    if risk.residual_grade is not None:
        remaining = words.say(f"risks.grade.{risk.residual_grade}")
        yield words.say("risks.residual", grade=remaining, score=risk.residual_score)


def _key(item: KeyIndicator, words: Locale) -> KeyView:
    parts = {
        "title": titled(item.title, item.segment_id, item.segment_label, words),
        "value": words.figure(item.value, item.unit),
        "limit": words.limit(item.limit, item.unit, item.is_upper),
    }
    key = "unknown" if item.is_beyond is None else "beyond" if item.is_beyond else "within"
    return KeyView(words.say(f"risks.key.{key}", **parts), words.name(item.leads, 240), bool(item.is_beyond))
