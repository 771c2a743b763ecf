"""The pictures of README and docs: the demo's weekly brief on screen, on paper and by mail.

    . scripts/demo-env.sh && .venv/bin/python scripts/pictures.py [REVIEW_ID]

Needs the demo's home, Debian's chromium and poppler-utils, and fonts for both languages. It draws the demo's edition
anew, so that the pictures show what this version makes of it.
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from hansei import pipeline
from hansei.pipeline.stored_reviews import read_stored
from hansei.reviews.brief import compose
from hansei.reviews.pdf_paper import render_pdf
from hansei.reviews.rendering import render_page, review_words
from hansei.reviews.review_message import ReviewMail, ReviewSetting, review_mail

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SHEETS = (1, 9)  # what needs a decision; indicators that miss their limit
COLOURS = 64
MOST_BYTES = 250_000


def main(review_id: str) -> None:
    _, evidence, parts = read_stored(pipeline.context().settings, review_id)
    for language, name in (("en", "brief"), ("zh_CN", "brief.zh_CN")):
        words = review_words(evidence, language)
        brief = compose(evidence, parts, words)
        save(name, screenshot(render_page(brief, words), 1180, 1240))
        if language == "en":
            save("brief.pdf", side_by_side(render_pdf(brief, words)))
            mail = review_mail(brief, ReviewSetting(words, link="https://reviews.example.com/weekly_brief"))
            save("brief.mail", screenshot(shown(mail), 640, 1500))


def shown(mail: ReviewMail) -> str:
    """The mail's HTML with its pictures inside, as a mail program shows it."""
    page = mail.html
    for picture in mail.pictures:
        address = "data:image/png;base64," + base64.b64encode(picture.content).decode()
        page = page.replace(f"cid:{picture.content_id}", address)
    return page


def screenshot(page: str, width: int, height: int) -> Image.Image:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "page.html", Path(folder) / "page.png"
        source.write_text(page, "utf-8")
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--window-size={width},{height}", f"--screenshot={target}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        return Image.open(io.BytesIO(target.read_bytes())).convert("RGB")


def side_by_side(pdf: bytes) -> Image.Image:
    sheets = []
    for number in SHEETS:
        command = ["pdftoppm", "-r", "72", "-png", "-f", str(number), "-l", str(number), "-"]
        drawn = subprocess.run(command, input=pdf, check=True, capture_output=True).stdout
        sheets.append(Image.open(io.BytesIO(drawn)).convert("RGB"))
    gap = 16
    whole = Image.new("RGB", (sum(s.width + gap for s in sheets) + gap, sheets[0].height + 2 * gap), "#c9c6bd")
    for at, sheet in enumerate(sheets):
        whole.paste(sheet, (gap + at * (sheet.width + gap), gap))
    return whole


def save(name: str, picture: Image.Image) -> None:
    path = IMAGES / f"{name}.png"
    picture.quantize(COLOURS).save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, f"{path} is larger than {MOST_BYTES} bytes: show less of it"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "weekly_brief:2026-09-07:r1")
