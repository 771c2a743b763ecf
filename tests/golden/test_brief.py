"""The brief as a whole: the same bytes, well made, safe, and not one figure that the evidence does not hold."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from support.golden_modules import golden_module

from hansei.reviews import headlines, narrative
from hansei.reviews.evidence import Evidence, canonical_json, sha256
from hansei.reviews.locales import locale
from hansei.reviews.rendering import render_review

page_reader = golden_module("page_reader")


@pytest.fixture
def page(cases: ModuleType, case: str) -> str:
    return render_review(cases.evidence(case), cases.parts())


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_page_is_the_golden_one(cases: ModuleType, case: str, language: str) -> None:
    """To accept a change: look at the new page, then run `python tests/golden/brief_cases.py`."""
    page = render_review(cases.evidence(case), cases.parts(), language)
    assert page == cases.golden(case, language).read_text("utf-8")


def test_same_evidence_from_its_archived_json_gives_the_same_bytes(cases: ModuleType, case: str, page: str) -> None:
    archived = Evidence.model_validate_json(canonical_json(cases.evidence(case)))
    assert render_review(archived, cases.parts()) == page


def test_page_is_well_formed(page: str) -> None:
    reader = page_reader.read(page)
    assert reader.faults == []
    assert len(reader.elements) > 300
    assert sorted(reader.ids) == sorted(set(reader.ids))
    assert all(target.startswith("#") and target[1:] in reader.ids for target in reader.targets)
    assert len(reader.targets) > 20
    references = [i for _, name, value in reader.attributes if name in ("aria-labelledby",) for i in value.split()]
    assert set(references) <= set(reader.ids)


def test_headings_never_skip_a_level(page: str) -> None:
    levels = page_reader.read(page).headings
    first = levels.index(1)
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels[first:], levels[first + 1 :], strict=False))


def test_page_asks_nobody_for_anything_and_runs_nothing(page: str) -> None:
    reader = page_reader.read(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "image", "use"} & set(reader.elements)
    outside = [a for a in reader.attributes if a[1] in ("src", "href", "srcset", "action", "data", "xlink:href")]
    assert outside and all(value.startswith("#") for _, _, value in outside)
    assert not [a for a in reader.attributes if a[1].startswith("on")]
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert style and "url(" not in style and "@import" not in style
    assert not re.search(r"https?://|//[a-z]", re.sub(r"<pre.*?</pre>", "", page, flags=re.S))
    assert "default-src 'none'" in page


def test_every_chart_says_in_words_what_it_shows(cases: ModuleType, case: str, page: str) -> None:
    evidence = cases.evidence(case)
    reader = page_reader.read(page)
    charts = [c for c in reader.charts if "chart" in c["attributes"].get("class", "").split()]
    drawn = {c["attributes"]["aria-labelledby"].split()[0] for c in charts}
    assert {f"g-{i.indicator_id}-t" for i in evidence.indicators} <= drawn
    assert all(c["title"] and "week\u00a045" in c["desc"] for c in charts)
    drawings = [c for c in reader.charts if c["attributes"].get("aria-hidden") != "true"]
    assert all(c["attributes"]["role"] == "img" for c in drawings)
    assert all(c["desc"] or c["attributes"].get("aria-label") for c in drawings)


def test_hostile_names_are_shown_as_text_and_cut(cases: ModuleType) -> None:
    page = render_review(cases.evidence("hostile"))
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;" in page
    assert "W" * 61 not in page and "n" * 61 not in page
    assert "\u202e" not in page and "\x1b" not in page and "\x00" not in page
    assert len(page) < 250_000
    assert "\u2068" in page  # what reads from right to left is kept from turning its neighbours


# The figures ------------------------------------------------------------------------------------------------------

MONTHS = [dt.date(2026, month, 1).strftime("%B") for month in range(1, 13)]
DATE = rf"(\d{{1,2}}) ({'|'.join(MONTHS)})(?: (\d{{4}}))?"
DURATION = re.compile(r"(?:[−]?(?:\d+ d)(?: \d+ h)?|\d+ h(?: \d+ min)?(?: \d+ s)?|\d+ min(?: \d+ s)?|\d+ s)\b")
SECONDS = {"d": 86400, "h": 3600, "min": 60, "s": 1}
VALUES = {
    "value",
    "lower_bound",
    "upper_bound",
    "limit",
    "warning_limit",
    "critical_limit",
    "previous_value",
    "value_before",
    "value_after",
    "worst",
    "best",
    "before",
    "after",
    "mean_error",
}
SHARES = {"weight", "coverage", "minimum_coverage", "probability", "confidence"}
INTERVAL_LEVEL = "95 %"


def half_up(value: float, decimals: int) -> str:
    text = f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP):,f}"
    return text.replace("-", "−")


def figures_of(evidence: Evidence) -> dict[str, set]:
    """Every figure of the evidence by kind, in the forms that the rules of writing allow."""
    found: dict[str, set] = {kind: set() for kind in ("seconds", "ratio", "points", "count", "date", "week")}
    units = {i.indicator_id: i.unit for i in evidence.indicators}
    zone = ZoneInfo(evidence.reporting_zone)

    def value(number: float | None, unit: str) -> None:
        if number is None:
            return
        if unit == "seconds":
            found["seconds"].add(number)
        else:
            scaled = number * 100 if unit == "ratio" else number
            found[unit] |= {half_up(round(scaled, 9), d).lstrip("−") for d in range(4)}

    def date(day: dt.date) -> None:
        found["date"] |= {day, day + dt.timedelta(days=6)}
        found["week"].add(day.isocalendar().week)

    def share(number: float) -> None:
        """In whole percent; what is nearly certain or impossible is told by its bound."""
        found["ratio"] |= {"1"} if number < 0.01 else {"99"} if number > 0.99 else set()
        found["ratio"].add(half_up(number * 100, 0))

    def walk(node: object, unit: str) -> None:
        if isinstance(node, dict):
            unit = node.get("unit") or units.get(node.get("indicator_id"), unit)
            for key, child in node.items():
                if key in VALUES:
                    value(child, unit)
                elif key == "seconds":
                    value(child, "seconds")
                elif key in SHARES and child is not None:
                    share(child)
                elif isinstance(child, (int, float)) and not isinstance(child, bool):
                    found["count"].add(half_up(child, 0))
                elif isinstance(child, dt.datetime):
                    found["date"].add(child.astimezone(zone).date())
                elif isinstance(child, dt.date):
                    date(child)
                else:
                    walk(child, unit)
        elif isinstance(node, (list, tuple)):
            found["count"].add(str(len(node)))
            for child in node:
                walk(child, unit)
        elif isinstance(node, str):
            found["count"] |= set(re.findall(r"\d[\d,.]*\d|\d", node))

    walk(evidence.model_dump(exclude={"explanations"}), "count")
    for explained in evidence.explanations:
        unit = "ratio" if explained.what == "beyond" else units[explained.indicator_id]
        value(explained.limit, units[explained.indicator_id])
        change = explained.value_now - explained.value_before
        for number in (explained.value_before, explained.value_now, change):
            value(number, unit)
        for day in (explained.before_start, explained.before_end, explained.now_start, explained.now_end):
            found["date"].add(day)
        found["count"] |= {half_up(explained.count_before, 0), half_up(explained.count_now, 0)}
        for dimension in explained.dimensions:
            value(dimension.mix_effect, unit)
            value(dimension.rate_effect, unit)
        for moved in (*explained.path, *(s for dimension in explained.dimensions for s in dimension.segments)):
            total = moved.rate_effect + moved.mix_effect
            for number in (moved.rate_before, moved.rate_now, total, moved.mix_effect):
                value(number, unit)
            found["count"] |= {half_up(moved.count_before, 0), half_up(moved.count_now, 0)}
            found["ratio"].add(half_up(total / change * 100, 0))
        for spent in explained.time_spent:
            found["seconds"] |= {spent.before, spent.now}
    for key in ("received", "accepted", "quarantined", "duplicate", "held", "conflict"):
        found["count"].add(half_up(sum(getattr(b, key) for b in evidence.honesty.batches), 0))
    for read in evidence.comments:
        for topic in read.topics:
            for count, of in ((topic.count_now, read.against_now), (topic.count_before, read.against_before)):
                share(count / of)
            found["count"] |= {half_up(abs(100 * bound), 0) for bound in (topic.lower_bound, topic.upper_bound)}
        found["date"] |= {read.before_start, read.before_end, read.now_start, read.now_end}
    for card in evidence.cards:
        found["count"] |= {"0", "100"}  # the ends of its scale
        found["points"].add("100")
        found["count"] |= {half_up(line.lost, 1) for group in card.groups for line in group.lines}
        date(card.period_start - dt.timedelta(weeks=1))
    quarantine = evidence.honesty.quarantine
    found["count"].add(half_up(sum(row.count for row in quarantine), 0))
    # Things counted in sentences: how many indicators, segments, weeks or breaches are so or so.
    found["count"] |= {
        str(n) for n in range(len(evidence.indicators) + len(evidence.judgements) + len(evidence.breaches) + 1)
    }
    lines = [i.series for i in evidence.indicators] + [s.series for i in evidence.indicators for s in i.segments]
    found["count"] |= {str(sum(p.value is not None for p in series)) for series in lines}
    found["count"] |= {str(n) for n in range(14)}  # sparklines: at most thirteen weeks
    return found


def strangers(text: str, evidence: Evidence) -> list[str]:
    """Every figure in the text that the evidence does not hold, by the kind that its unit says."""
    known = figures_of(evidence)
    left, bad = text.replace("\u00a0", " "), []
    for digest in (sha256(evidence), evidence.definitions_hash):
        left = left.replace(digest[:12], " ")
    left = left.replace(evidence.product_version, " ")
    times = {i.astimezone(ZoneInfo(evidence.reporting_zone)).strftime("%H:%M") for i in instants(evidence)}

    def check(pattern: str | re.Pattern, is_known: object) -> None:
        nonlocal left
        bad.extend(m.group(0) for m in re.finditer(pattern, left) if not is_known(m))
        left = re.sub(pattern, " ", left)

    def is_date(match: re.Match) -> bool:
        day, month, year = match.groups()[-3:]
        wanted = (int(day), month)
        return any((d.day, MONTHS[d.month - 1]) == wanted and year in (None, str(d.year)) for d in known["date"])

    def is_duration(match: re.Match) -> bool:
        pieces = [(int(n), u) for n, u in re.findall(r"(\d+) (d|h|min|s)\b", match.group(0))]
        told = sum(n * SECONDS[u] for n, u in pieces)
        slack = {"d": 3600, "h": 60, "min": 60, "s": 1}[pieces[0][1]] / 2
        return any(abs(abs(v) - told) <= slack + 1e-6 for v in known["seconds"])

    check(rf"\d{{1,2}}–{DATE}", is_date)
    check(DATE, is_date)
    check(r"\b\d{2}:\d{2}\b", lambda m: m.group(0) in times)
    check(r"\b[wW]eek (\d+)", lambda m: int(m.group(1)) in known["week"])
    check(DURATION, is_duration)
    left = left.replace(INTERVAL_LEVEL, " ")
    check(r"[+−]?([\d.,]*\d) percentage points?", lambda m: m.group(1) in known["ratio"])
    check(r"([\d.,]*\d)(?: to ([\d.,]*\d))? %", lambda m: {g for g in m.groups() if g} <= known["ratio"])
    check(
        r"[+−]?([\d.,]*\d)(?: to [+−]?([\d.,]*\d))? points?", lambda m: {g for g in m.groups() if g} <= known["points"]
    )
    check(r"\d[\d,.]*\d|\d", lambda m: m.group(0) in known["count"])
    return bad


def instants(evidence: Evidence) -> list[dt.datetime]:
    found = [evidence.as_of]
    for source in evidence.readiness:
        found += [i for i in (source.complete_until, source.needed_until) if i]
    return found


def prose(page: str) -> str:
    """The page's text without sample rows, examples and quotes, parts of their own, and without axis marks."""
    page = re.sub(r'<figure class="quote">.*?</figure>', "", page, flags=re.S)
    page = re.sub(r"<summary>(Sample rows|示例行)</summary>.*?</details>", "", page, flags=re.S)
    page = re.sub(r"(that counted against it|不利于该指标的示例)[:：][^<]*", r"\1", page)
    return page_reader.read(page).text


# What a Chinese figure reads in English, so that one set of rules finds every figure in the evidence.
FROM_CHINESE = [
    (
        r"(\d{4})年(\d+)月(\d+)日至(\d{4})年(\d+)月(\d+)日",
        lambda m: f"{_english(*m.group(1, 2, 3))} {_english(*m.group(4, 5, 6))}",
    ),
    (
        r"(\d{4})年(\d+)月(\d+)日至(\d+)月(\d+)日",
        lambda m: f"{_english(*m.group(1, 2, 3))} {_english(*m.group(1, 4, 5))}",
    ),
    (r"(\d{4})年(\d+)月(\d+)日至(\d+)日", lambda m: f"{_english(*m.group(1, 2, 3))} {_english(*m.group(1, 2, 4))}"),
    (r"(\d{4})年(\d+)月(\d+)日", lambda m: _english(*m.group(1, 2, 3))),
    (r"第(\d+)周", r" week \1 "),
    (r"(\d)个百分点", r"\1 percentage points "),
    (r"(\d)%至", r"\1 to "),
    (r"(\d)%", r"\1 % "),
    (r"(\d)至([+−]?\d)", r"\1 to \2"),
    (r"([+−][\d.,]*\d(?: to [+−]?[\d.,]*\d)?)分(?!钟)", r"\1 points "),
    (r"(\d)分(?!钟)", r"\1 "),  # of a card, which English writes bare
    (r"(\d)天", r"\1 d "),
    (r"(\d)小时", r"\1 h "),
    (r"(\d)分钟", r"\1 min "),
    (r"(\d)秒", r"\1 s "),
]


def _english(year: str, month: str, day: str) -> str:
    return f" {int(day)} {MONTHS[int(month) - 1]} {year} "


def in_english_figures(text: str) -> str:
    for pattern, written in FROM_CHINESE:
        text = re.sub(pattern, written, text)
    return re.sub(r"(\d (?:d|h|min)) +(?=\d+ (?:h|min|s)\b)", r"\1 ", text)


def test_every_figure_of_the_chinese_page_is_in_the_evidence(cases: ModuleType, case: str) -> None:
    text = in_english_figures(prose(render_review(cases.evidence(case), cases.parts(), "zh_CN")))
    assert len(re.findall(r"\d", text)) > 100
    assert strangers(text, cases.evidence(case)) == []


@pytest.mark.parametrize(
    "lie", ["17.3%", "5小时11分钟", "999张工单", "+77分", "2026年5月7日", "第51周", "+4.4个百分点", "82.1%至17.3%"]
)
def test_an_invented_figure_is_noticed_in_chinese(cases: ModuleType, lie: str) -> None:
    assert strangers(in_english_figures(f"数值为{lie}。"), cases.evidence("breaching")) != []


# What reads the same in every language: names from data and definitions, SQL and the columns that it names.
LATIN = (
    *(
        "Northwind Support",
        "English",
        "Hansei",
        "Day desk",
        "Night desk",
        "Specialists",
        "Europe/Berlin",
        "service-desk",
    ),
    *("Werkstatt Süd", "EUR", "head of service", "customer-experience", "R1", "R2", "R3", "R4"),
    # What people wrote down themselves: actions, and a risk of their own; words of customers.
    *("slot", "cancelled", "truck"),
    *("Routing form for integrations", "Chat opens at eight", "Two answers for billing became one"),
    *(
        "Night desk lends a person by day",
        "Call back who answers with 1",
        "Night desk loses its people",
        "channel=chat",
    ),
    *("gold", "silver", "mail", "chat", "desk", "crm", "surveys", "region_code", "region code", "A", "B", "C"),
    *("core.tickets", "reopen_count", "is_solved", "ops.restatements", "solved_date", "created_date"),
)


@pytest.mark.parametrize("case", ["breaching", "quiet", "waiting", "scarce"], indirect=True)
def test_no_english_is_left_in_the_chinese_page(cases: ModuleType, case: str) -> None:
    page = render_review(cases.evidence(case), cases.parts(), "zh_CN")
    assert '<html lang="zh-CN">' in page
    reader = page_reader.read(re.sub(r"<pre.*?</pre>", "", page, flags=re.S))
    spoken = [value for _, name, value in reader.attributes if name in ("aria-label", "title", "alt")]
    left = " ".join([prose(re.sub(r"<pre.*?</pre>", "", page, flags=re.S)), *spoken])
    for digest in (sha256(cases.evidence(case)), cases.evidence(case).definitions_hash):
        left = left.replace(digest[:12], " ")
    for known in sorted(LATIN, key=len, reverse=True):
        left = re.sub(rf"(?<![A-Za-z]){re.escape(known)}(?![A-Za-z])", " ", left)
    assert len(re.findall("[一-鿿]", left)) > 500
    assert re.findall(r"[A-Za-z][A-Za-z'_.-]*", left) == []


def test_every_figure_of_the_page_is_in_the_evidence(cases: ModuleType, case: str, page: str) -> None:
    text = prose(page)
    assert len(re.findall(r"\d", text)) > 100
    assert strangers(text, cases.evidence(case)) == []


@pytest.mark.parametrize(
    "lie",
    [
        "17.3 %",
        "5 h 11 min",
        "999 tickets",
        "+77 points",
        "7 May 2026",
        "week 51",
        "05:17",
        "5,555 breaches",
        "+4.4 percentage points",
    ],
)
def test_an_invented_figure_is_noticed(cases: ModuleType, lie: str) -> None:
    assert len(strangers(f"It was {lie}.", cases.evidence("breaching"))) == 1


def test_what_became_worse_is_told_where_no_limit_is_missed(cases: ModuleType) -> None:
    """Missed limits are decisions; without them the very same word is told at the top of the page."""
    evidence, words = cases.evidence("breaching"), locale("en")
    told = " ".join(headlines.headline(evidence, narrative.decisions(evidence, words), words).standfirst)
    assert "worse" not in told and "Changed for the better: Satisfied customers" in told
    calm = evidence.model_copy(update={"breaches": ()})
    told = " ".join(headlines.headline(calm, [], words).standfirst)
    assert "First reply, median (the whole service)" in told.partition("worse within its limit or without one: ")[2]
