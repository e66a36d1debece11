"""What the pictures show is what their tables say, read from the marks of the SVG."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from statistics import mean, stdev
from typing import Any

import pytest

from pipeline.reporting.pictures import DEFINITIONS, draw
from pipeline.reporting.plot_tables import epoch_time_frame, f1_frame
from pipeline.reporting.summary import summarise
from tests.helpers.sample_results import TIMING, evaluation

SVG = "{http://www.w3.org/2000/svg}"
PHASES = ("teacher forward", "student forward", "student backward")
STUDENTS = {
    "vanilla": {1: evaluation(0, 1), 2: evaluation(0)},
    "kbest": {1: evaluation(1), 2: evaluation(1)},
    "efficient": {1: evaluation(), 2: evaluation(0, 1, 2)},
}


def f1_picture(students: Mapping[str, Any]) -> tuple[dict[str, list[float]], ET.Element]:
    """The F1 of every seed, and the picture."""
    summary = summarise(evaluation(), students, task="toy", scheme="iob2", samples=10)
    f1 = {name: [*figures["f1"]["seeds"].values()] for name, figures in summary["methods"].items()}
    return f1, ET.fromstring(draw("f1_by_method", f1_frame(summary)))


def marks(svg: ET.Element, role: str) -> list[tuple[dict[str, str], ET.Element]]:
    """What a screen reader says of each mark of a role, and the mark."""
    found = [mark for mark in svg.iter(f"{SVG}path") if mark.get("aria-roledescription") == role]
    found += [mark for mark in svg.iter(f"{SVG}line") if mark.get("aria-roledescription") == role]
    return [
        (dict(part.split(": ", 1) for part in mark.attrib["aria-label"].split("; ")), mark) for mark in found
    ]


def left(mark: ET.Element) -> float:
    """Pixels from the left side of the mark's plot."""
    found = re.match(r"translate\(([-\d.]+),", mark.attrib["transform"])
    assert found is not None
    return float(found[1])


def test_seeds_means_and_the_teacher_stand_where_the_axis_says() -> None:
    f1, svg = f1_picture(STUDENTS)
    expected = [(method, value) for method, values in f1.items() for value in values]
    expected += [(method, mean(values)) for method, values in f1.items()]
    points = marks(svg, "point")
    assert [said["method"] for said, _ in points] == [method for method, _ in expected]
    assert [float(said["span F1, %"]) for said, _ in points] == pytest.approx([f1 for _, f1 in expected])
    ((teacher, rule),) = marks(svg, "rule mark")
    assert float(teacher["span F1, %"]) == pytest.approx(100)
    (low_value, low), (high_value, high) = (
        (expected[place][1], left(points[place][1])) for place in (0, len(expected) - 1)
    )
    pixels = (high - low) / (high_value - low_value)
    places = [low + pixels * (value - low_value) for _, value in (*expected, ("teacher", 100.0))]
    assert [left(mark) for mark in (*(mark for _, mark in points), rule)] == pytest.approx(places)


def test_error_bars_are_one_standard_deviation_of_the_seeds() -> None:
    f1, svg = f1_picture(STUDENTS)
    names = ("Mean - stdev of span F1, %", "Mean + stdev of span F1, %")
    bars = {
        said["method"]: [float(said[name]) for name in names]
        for said, _ in marks(svg, "errorbar")
        if names[0] in said
    }
    expected = {m: [mean(v) - stdev(v), mean(v) + stdev(v)] for m, v in f1.items()}
    assert bars == {method: pytest.approx(ends) for method, ends in expected.items()}


def test_nothing_is_drawn_for_the_unknown_spread_of_one_seed() -> None:
    _, svg = f1_picture({"kbest": {1: evaluation(1)}})
    assert all(mark.get("x2", "0") == "0" for _, mark in marks(svg, "errorbar"))
    assert "NaN" not in "".join(mark.get("transform", "") for mark in svg.iter())


def test_bars_stand_end_to_end_and_are_as_long_as_the_phases_last() -> None:
    svg = ET.fromstring(draw("epoch_time", epoch_time_frame(TIMING)))
    rows = [
        (method, phases)
        for block in ("published", "pipeline")
        for method, phases in {**TIMING[block], "lower bound": TIMING["lower_bound"]}.items()
    ]
    bars = marks(svg, "bar")
    assert [said["method"] for said, _ in bars] == [method for method, _ in rows for _ in PHASES]
    shapes = [re.match(r"M([\d.]+),[\d.]+h([\d.]+)", mark.attrib["d"]) for _, mark in bars]
    starts, widths = ([float(shape[side]) for shape in shapes if shape] for side in (1, 2))
    seconds = [phases.get(phase.replace(" ", "_"), 0.0) for _, phases in rows for phase in PHASES]
    assert [float(said["seconds per epoch"]) for said, _ in bars] == pytest.approx(seconds)
    pixels = max(widths) / max(seconds)
    assert widths == pytest.approx([pixels * value for value in seconds])
    ends = [[sum(widths[row : row + part]) for part in range(3)] for row in range(0, len(widths), 3)]
    assert starts == pytest.approx([end for row in ends for end in row])


def test_names_are_text_and_nothing_is_loaded() -> None:
    timing = TIMING | {"pipeline": {"<b>&": TIMING["pipeline"]["vanilla"]}}
    text = draw("epoch_time", epoch_time_frame(timing))
    assert "<b>&" in {element.text for element in ET.fromstring(text).iter(f"{SVG}text")}
    assert set(re.findall(r"https?://[^\"' ]+|@import|href=|url\([^#)]*\)", text)) == {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip


def test_the_last_epochs_loss_is_not_said_to_be_of_gold_tags_alone() -> None:
    """Text, which the bundled corpus has, is learned with λ = 1 there; other schedules have no such epoch."""
    definition = json.loads((DEFINITIONS / "curves_per_model.json").read_text(encoding="utf-8"))
    told = definition["title"]["subtitle"]
    assert "by default" in told
    assert "labelled sentences" in told
    assert "alone" not in told
