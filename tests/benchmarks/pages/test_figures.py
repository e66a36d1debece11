import re
import xml.etree.ElementTree as ET

import pytest

from benchmarks.pages.figures import epoch_time_figure, f1_figure
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import TIMING, outcome

SVG = "{http://www.w3.org/2000/svg}"
STUDENTS = {
    "vanilla": {1: outcome(0, 1), 2: outcome(0)},
    "kbest": {1: outcome(1), 2: outcome(1)},
    "efficient": {1: outcome(), 2: outcome(0, 1, 2)},
}


def summary_of(students, teacher=None, task="toy"):
    return summarise(teacher or outcome(), students, task=task, scheme="iob2", samples=10)


def marks(svg, tag, kind):
    return [e for e in ET.fromstring(svg).iter(SVG + tag) if e.get("class") == kind]


def texts(svg):
    return [e.text for e in ET.fromstring(svg).iter(SVG + "text")]


def tick_scale(svg):
    """Value per x, from the numbers under the axis."""
    ticks = [
        (float(e.get("x")), float(e.text))
        for e in marks(svg, "text", "minor")
        if re.fullmatch(r"[\d.]+", e.text)
    ]
    (x1, v1), *_, (x2, v2) = ticks
    return lambda x: v1 + (x - x1) * (v2 - v1) / (x2 - x1)


def test_marks_stand_where_the_axis_says():
    summary = summary_of(STUDENTS)
    svg = f1_figure(summary)
    value = tick_scale(svg)
    means = [f["f1"]["mean"] for f in summary["methods"].values()]
    assert [value(float(e.get("cx"))) for e in marks(svg, "circle", "mark")] == pytest.approx(means, abs=0.1)
    seeds = [v for f in summary["methods"].values() for v in f["f1"]["seeds"].values()]
    assert [value(float(e.get("cx"))) for e in marks(svg, "circle", "seed")] == pytest.approx(seeds, abs=0.1)
    bars = [e for e in marks(svg, "line", "mark") if e.get("y1") == e.get("y2")]
    widths = [value(float(e.get("x2"))) - value(float(e.get("x1"))) for e in bars]
    assert widths == pytest.approx([2 * f["f1"]["std"] for f in summary["methods"].values()], abs=0.2)
    rules = [value(float(e.get("x1"))) for e in marks(svg, "line", "rule")]
    assert rules == pytest.approx([100, means[0]], abs=0.1)
    assert {"vanilla", "kbest", "efficient", "teacher 100.00"} <= set(texts(svg))


def test_one_seed_has_no_error_bar():
    svg = f1_figure(summary_of({"kbest": {1: outcome(1)}}))
    assert not marks(svg, "line", "mark")
    assert len(marks(svg, "line", "rule")) == 1
    assert not any("±" in text for text in texts(svg) if text[0].isdigit())


def test_bars_stand_end_to_end_and_are_as_long_as_the_phases_last():
    svg = epoch_time_figure(TIMING)
    value = tick_scale(svg)
    names = ("teacher_forward", "student_forward", "student_backward")
    expected = [
        [methods.get(phase, 0.0) for phase in names]
        for block in (TIMING["published"], TIMING["pipeline"])
        for methods in (*block.values(), TIMING["floor"])
    ]
    _, *bars = zip(*(marks(svg, "rect", name) for name in names), strict=True)  # the first are the legend's
    for stacked, seconds in zip(bars, expected, strict=True):
        left = [value(float(bar.get("x"))) for bar in stacked]
        right = [value(float(bar.get("x")) + float(bar.get("width"))) for bar in stacked]
        assert left == pytest.approx([0, *right[:-1]], abs=0.3)
        assert right == pytest.approx([sum(seconds[: n + 1]) for n in range(3)], abs=0.3)
    assert "100 s · 4.00×" in texts(svg)


@pytest.mark.parametrize(
    "students",
    [
        {"vanilla": {1: outcome()}},
        {"vanilla": {1: outcome(0, 1, 2, 3)}},
        {"vanilla": {1: outcome(0), 2: outcome(0)}, "kbest": {1: outcome(0), 2: outcome(0)}},
    ],
    ids=["no gap", "zero", "close"],
)
def test_everything_stays_inside_the_picture(students):
    for svg in (f1_figure(summary_of(students)), epoch_time_figure(TIMING)):
        root = ET.fromstring(svg)
        width, height = (float(root.attrib[side]) for side in ("width", "height"))
        for element in root.iter():
            for side, limit in (
                ("x", width),
                ("x1", width),
                ("x2", width),
                ("cx", width),
                ("y", height),
                ("cy", height),
            ):
                if (place := element.get(side)) is not None:
                    assert 0 <= float(place) <= limit


def test_pictures_load_nothing_and_escape_names():
    names = f1_figure(summary_of(STUDENTS, task="a<b&c"))
    assert ET.fromstring(names).findtext(f"{SVG}title") == "Test F1 by method on a<b&c"
    svg = names + epoch_time_figure(TIMING)
    assert "a &lt;slow&gt; machine" in svg
    addresses = re.findall(r"https?://[^\"' ]+|url\([^)]*\)|@import|href", svg)
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
