"""The visual language, defined once: colours, marks and sizes of every chart and page.

Colours are Okabe and Ito's blue, vermilion and amber, darkened (lightened in the dark) until text in them has a
contrast of 4.5:1. No meaning hangs on colour alone: each verdict has a shape of its own and a word beside it, so
that greyscale paper and any kind of colour vision tell them apart. Red never stands against green.
"""

from __future__ import annotations

LIGHT = {
    "paper": "#faf9f6",
    "card": "#ffffff",
    "sunk": "#f1efe9",
    "ink": "#1c2227",
    "soft": "#566069",
    "rule": "#dfdcd3",
    "data": "#1f5f8b",
    "band": "#1f5f8b26",
    "critical": "#b03a06",
    "critical-wash": "#fbeee7",
    "warning": "#855700",
    "warning-wash": "#fbf3e0",
    "risk-moderate": "#f6e6bb",
    "risk-high": "#eeb96a",
    "risk-extreme": "#d9804f",
}
DARK = {
    "paper": "#13171b",
    "card": "#1b2025",
    "sunk": "#232a30",
    "ink": "#e8ebee",
    "soft": "#a3adb6",
    "rule": "#353d45",
    "data": "#7fb9e6",
    "band": "#7fb9e633",
    "critical": "#ff9166",
    "critical-wash": "#38231a",
    "warning": "#f0b64a",
    "warning-wash": "#352b15",
    "risk-moderate": "#453b1f",
    "risk-high": "#74561a",
    "risk-extreme": "#8f4320",
}

# The first that a machine has, for each sign: Latin ones first, so that figures look alike in every language.
_LATIN_FONTS = '"Noto Sans","Liberation Sans","Helvetica Neue",Arial'
_CHINESE_FONTS = (
    '"Noto Sans CJK SC","Noto Sans SC","Source Han Sans SC","WenQuanYi Micro Hei","WenQuanYi Zen Hei","PingFang SC",'
    '"Microsoft YaHei"'
)
FONTS = f"{_LATIN_FONTS},{_CHINESE_FONTS},sans-serif"
# For pictures, where a sign that the first font lacks would lose its weight.
CHINESE_FIRST = f"{_CHINESE_FONTS},{_LATIN_FONTS},sans-serif"

# Shapes on a 12 by 12 field. Filled asks for attention, hollow does not, dashed is not judged.
SHAPES = {
    "breach_critical": '<path class="m-critical" d="M6 .8 11.6 10.8H.4Z"/>',
    "breach_warning": '<path class="m-warning" d="M6 .4 11.6 6 6 11.6 .4 6Z"/>',
    "within": '<circle class="m-within" cx="6" cy="6" r="4.2"/>',
    "no_limit": '<path class="m-within" d="M1.5 6h9"/>',
    "too_few_data": '<circle class="m-unjudged" cx="6" cy="6" r="4.2"/>',
    "not_ready": '<rect class="m-unjudged" x="1.6" y="1.6" width="8.8" height="8.8"/>',
    "no_data": '<path class="m-unjudged" d="M1.5 6h9"/>',
}

# What came of an action, on the same field: a tick that is sure or not, nothing, a warning, an open circle.
EFFECTS = {
    "worked": '<path class="m-within" d="M1 6.5 4.5 10 11 2"/>',
    "likely_worked": '<path class="m-unjudged" d="M1 6.5 4.5 10 11 2"/>',
    "no_evidence": '<path class="m-within" d="M1.5 6h9"/>',
    "worse": '<path class="m-critical" d="M6 .8 11.6 10.8H.4Z"/>',
    "too_early": '<circle class="m-unjudged" cx="6" cy="6" r="4.2"/>',
}


def variables(palette: dict[str, str]) -> str:
    """The palette as CSS custom properties."""
    return "".join(f"--{key}:{value};" for key, value in palette.items())
