import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.pages.svg_file import svg_file
from pipeline.reporting.pictures import draw
from pipeline.reporting.plot_tables import epoch_time_frame
from tests.helpers.browser import CHROMIUM, tab
from tests.helpers.sample_results import TIMING

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = '<svg class="marks" width="100" height="40" viewBox="0 0 100 40"><path d="M0,0h9"/></svg>'


def test_the_picture_lies_inside_its_background() -> None:
    root = ET.fromstring(svg_file(PICTURE, "a title"))
    background, inside = root.find(f"{SVG}rect"), root.find(f"{SVG}svg")
    assert background is not None
    assert inside is not None
    assert list(root).index(background) < list(root).index(inside)  # what comes later covers what came before
    place = {side: float(inside.attrib[side]) for side in ("x", "y", "width", "height")}
    assert place["x"] > 0 < place["y"]
    assert place["x"] + place["width"] < float(root.attrib["width"])
    assert place["y"] + place["height"] < float(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    assert inside.attrib["viewBox"] == "0 0 100 40"


def test_the_title_is_text_and_nothing_is_loaded() -> None:
    text = svg_file(draw("epoch_time", epoch_time_frame(TIMING)), "a<b&c")
    assert ET.fromstring(text).findtext(f"{SVG}title") == "a<b&c"
    assert set(re.findall(r"https?://[^\"' ]+|@import|href=|url\([^#)]*\)|<script", text)) == {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_text_stands_out_from_the_background_in_light_and_dark(tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    path.write_text(svg_file(draw("epoch_time", epoch_time_frame(TIMING)), "Times"), encoding="utf-8")
    colours = "['text', '.paper'].map(name => getComputedStyle(document.querySelector(name)).fill)"
    with tab() as page:
        seen = []
        for dark in (False, True):
            page.open(path, dark=dark)
            seen.append([_luminance(colour) for colour in page.run(colours)])
    (ink, paper), (dark_ink, dark_paper) = seen
    assert ink < paper
    assert dark_ink > dark_paper
    for one in seen:
        assert (max(one) + 0.05) / (min(one) + 0.05) > 7  # WCAG 2.1, success criterion 1.4.6


def _luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` after WCAG 2.1."""
    shares = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
