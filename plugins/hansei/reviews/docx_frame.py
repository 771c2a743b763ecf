"""The frame of a DOCX: sheet, styles, language, header row of tables, page numbers, and bytes that stay the same."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

from hansei.reviews import visual
from hansei.reviews.brief import Brief
from hansei.reviews.locales import Locale

TABLE_STYLE, BESIDE_STYLE = "Hansei Table", "Hansei Side by Side"
FACTS_STYLE, SOFT_STYLE, FIGURE_STYLE = "Hansei Facts", "Hansei Soft", "Hansei Figure"
LEAD_IN_STYLE, GAP_STYLE = "Hansei Lead-in", "Hansei Gap"
_LATIN_FONT, _CHINESE_FONT = "Calibri", "Microsoft YaHei"
# Of words in Latin letters, which stand in a Chinese document too and break between words only if they are not Chinese.
_LATIN_LANGUAGE, _EASTERN_LANGUAGE = "en-GB", "zh-CN"
WIDTH_CM = 17.4  # of the text on a sheet of A4
_HEADINGS = {"Title": 24, "Heading 1": 15, "Heading 2": 12, "Heading 3": 10.5}

_TABLE = """<w:style xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" w:type="table"
 w:customStyle="1" w:styleId="HanseiTable"><w:name w:val="{name}"/><w:basedOn w:val="TableNormal"/>
<w:uiPriority w:val="99"/>
<w:pPr><w:spacing w:before="30" w:after="30" w:line="240" w:lineRule="auto"/></w:pPr><w:rPr><w:sz w:val="18"/></w:rPr>
<w:tblPr><w:tblBorders><w:top w:val="nil"/><w:bottom w:val="single" w:sz="4" w:color="{rule}"/>
<w:insideH w:val="single" w:sz="4" w:color="{rule}"/></w:tblBorders>
<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="120" w:type="dxa"/></w:tblCellMar></w:tblPr>
<w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:color w:val="{soft}"/><w:sz w:val="16"/></w:rPr>
<w:tcPr><w:tcBorders><w:bottom w:val="single" w:sz="8" w:color="{ink}"/></w:tcBorders></w:tcPr></w:tblStylePr>
</w:style>"""
_BESIDE = """<w:style xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" w:type="table"
 w:customStyle="1" w:styleId="HanseiSideBySide"><w:name w:val="{name}"/><w:basedOn w:val="TableNormal"/>
<w:uiPriority w:val="99"/><w:pPr><w:spacing w:after="30"/></w:pPr><w:rPr><w:sz w:val="18"/></w:rPr>
<w:tblPr><w:tblCellMar><w:left w:w="0" w:type="dxa"/>
<w:right w:w="200" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>"""


def colour(name: str) -> str:
    """A colour of the light palette as office programs write it: six digits, no mark."""
    return visual.LIGHT[name].removeprefix("#")[:6].upper()


def framed(brief: Brief, words: Locale) -> Any:
    """An empty document with everything but its content."""
    import docx
    from docx.shared import Cm

    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm((21 - WIDTH_CM) / 2)
    section.top_margin, section.bottom_margin = Cm(1.8), Cm(1.8)
    _style(document)
    _number_pages(section, f"{brief.called}, {brief.week}, {brief.dates}")
    _describe(document, brief, words)
    return document


def _style(document: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    styles = document.styles
    _set_defaults(styles)
    normal = styles["Normal"]
    for name, points in _HEADINGS.items():
        style = styles[name]
        style.font.size, style.font.bold = Pt(points), True
        style.font.color.rgb = RGBColor.from_string(colour("ink"))
        style.paragraph_format.space_before = Pt(0 if name == "Title" else points)
        style.paragraph_format.space_after, style.paragraph_format.keep_with_next = Pt(3), True
    for border in styles["Title"].element.iter(qn("w:pBdr")):
        border.getparent().remove(border)
    styles["Caption"].font.size, styles["Caption"].font.color.rgb = Pt(9), RGBColor.from_string(colour("ink"))
    styles["Caption"].paragraph_format.keep_with_next = True
    for name in (FACTS_STYLE, SOFT_STYLE, FIGURE_STYLE, GAP_STYLE):
        styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = normal
    styles[SOFT_STYLE].font.color.rgb = RGBColor.from_string(colour("soft"))
    styles.add_style(LEAD_IN_STYLE, WD_STYLE_TYPE.PARAGRAPH).base_style = styles[SOFT_STYLE]
    styles[LEAD_IN_STYLE].paragraph_format.keep_with_next = True
    styles[GAP_STYLE].font.size, styles[GAP_STYLE].paragraph_format.space_after = Pt(4), Pt(0)
    subtitle = styles["Subtitle"].font
    subtitle.size, subtitle.italic, subtitle.bold = Pt(11.5), False, False
    subtitle.color.rgb = RGBColor.from_string(colour("soft"))
    styles["Subtitle"].paragraph_format.space_after = Pt(3)
    styles[FIGURE_STYLE].font.size, styles[FIGURE_STYLE].font.bold = Pt(18), True
    facts = styles[FACTS_STYLE].paragraph_format
    facts.left_indent, facts.first_line_indent, facts.space_after = Cm(3.6), Cm(-3.6), Pt(1)
    facts.tab_stops.add_tab_stop(Cm(3.6))
    for style in ("Normal", *_HEADINGS, "Subtitle", "Caption"):
        properties = styles[style].element.get_or_add_rPr()
        for spacing in properties.findall(qn("w:spacing")):
            properties.remove(spacing)
        fonts = properties.get_or_add_rFonts()
        fonts.attrib.clear()
        for script in ("ascii", "hAnsi", "cs"):
            fonts.set(qn(f"w:{script}"), _LATIN_FONT)
        fonts.set(qn("w:eastAsia"), _CHINESE_FONT)
    told = {key: colour(key) for key in ("rule", "soft", "ink")}
    styles.element.append(parse_xml(_TABLE.format(name=TABLE_STYLE, **told)))
    styles.element.append(parse_xml(_BESIDE.format(name=BESIDE_STYLE)))


def _set_defaults(styles: Any) -> None:
    """Language, size, colour and spacing of the document: as those of `Normal` they would beat a table's own."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    of_runs, of_paragraphs = (
        styles.element.find(f"{qn('w:docDefaults')}/{qn(f'w:{kind}Default')}/{qn(f'w:{kind}')}")
        for kind in ("rPr", "pPr")
    )
    language = of_runs.find(qn("w:lang"))
    language.set(qn("w:val"), _LATIN_LANGUAGE)
    language.set(qn("w:eastAsia"), _EASTERN_LANGUAGE)
    of_runs.sz_val, of_runs.get_or_add_color().val = Pt(10), RGBColor.from_string(colour("ink"))
    of_paragraphs.spacing_after = Pt(3)
    spacing = of_paragraphs.spacing
    spacing.set(qn("w:line"), "240")
    spacing.set(qn("w:lineRule"), "auto")


def _number_pages(section: Any, running: str) -> None:
    """`Weekly brief, Week 45 ... 3 / 9` at the foot of every sheet."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    paragraph = section.footer.paragraphs[0]
    paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(WIDTH_CM), WD_TAB_ALIGNMENT.RIGHT)
    paragraph.style.font.size = Pt(8)
    paragraph.style.paragraph_format.tab_stops.clear_all()
    paragraph.add_run(f"{running}\t")
    for at, field in enumerate(("PAGE", "NUMPAGES")):
        if at:
            paragraph.add_run(" / ")
        simple = OxmlElement("w:fldSimple")
        simple.set(qn("w:instr"), field)
        run = OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = "1"  # what a program shows that does not count
        run.append(text)
        simple.append(run)
        paragraph._p.append(simple)


def _describe(document: Any, brief: Brief, words: Locale) -> None:
    """Core properties from the evidence alone."""
    properties, evidence = document.core_properties, brief.evidence
    properties.title = f"{brief.headline.title} · {brief.called}, {brief.week}"[:255]
    properties.subject, properties.author = brief.audience, brief.service
    properties.language, properties.identifier = words.tag, brief.hash
    properties.comments, properties.keywords, properties.last_modified_by = "", "", f"Hansei {evidence.product_version}"
    properties.created = properties.modified = evidence.as_of.replace(tzinfo=None)
    properties.revision = 1


def packed(document: Any, as_of: dt.datetime) -> bytes:
    """The document as a file whose members are all dated alike."""
    written, out = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, as_of.timetuple()[:6])
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            target.writestr(member, source.read(name))
    return out.getvalue()
