"""Values made coarser before they are stored: masked signs, months, bands, domains, country prefixes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hansei.catalog.privacy import Treatment

# Country codes of E.164: one digit, two, or three; none is the beginning of another.
_COUNTRY = (
    r"^(?:\+|00) ?(?P<code>1|7|2[07]|3[0123469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42\d|"
    r"5[09]\d|6[7-9]\d|8[057-9]\d|9[679]\d)"
)
_DOMAIN = r"@(?P<domain>[^@\s<>]+?)>?\s*$"


def masked(texts: pa.Array, last: int) -> pa.Array:
    """Letters and digits as `*`, but for the last ones; a text not twice as long as those is masked whole."""
    hidden = pc.replace_substring_regex(texts, r"[\p{L}\p{N}]", "*")
    if not last:
        return hidden
    shown = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(hidden, 0, -last), pc.utf8_slice_codeunits(texts, -last), ""
    )
    return pc.if_else(pc.greater_equal(pc.utf8_length(texts), 2 * last), shown, hidden)


def generalised(values: pa.Array, treatment: Treatment) -> pa.Array:
    """The values as coarse as the treatment says, of the same type.

    month, quarter, year: its first day or instant. domain: what stands behind the @, in small letters. country: the
    country's prefix (`+49`); NULL where the number has none. band: the lower end, such as 20 for 20 to 29.
    """
    if treatment.to in ("month", "quarter", "year"):
        return pc.floor_temporal(values, unit=treatment.to).cast(values.type)
    if treatment.to == "domain":
        return pc.struct_field(pc.extract_regex(pc.utf8_lower(values), _DOMAIN), "domain")
    if treatment.to == "country":
        plain = pc.replace_substring_regex(values, r"[^\d+]", "")
        code = pc.struct_field(pc.extract_regex(plain, _COUNTRY), "code")
        return pc.binary_join_element_wise("+", code, "")
    if treatment.first:
        return pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(values), 0, treatment.first)
    doubles = values.cast(pa.float64())
    return pc.multiply(pc.floor(pc.divide(doubles, treatment.band)), treatment.band).cast(values.type)
