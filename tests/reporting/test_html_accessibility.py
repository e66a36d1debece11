"""The page by keyboard alone, as a screen reader is told of it, and on paper, in a real browser."""

import base64
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting.html_page import html_page
from tests.helpers.browser import CHROMIUM, Tab, tab
from tests.helpers.html_results import results

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
]
ROOT = Path(__file__).parents[2]
A4 = 718  # CSS pixels of its width within margins of 1 cm
METHODS = ("vanilla", "kbest", "structural", "posterior", "efficient", "efficient_emission")
KEYS = {"Tab": 9, "Enter": 13, "ArrowDown": 40, " ": 32}
NAMED = {
    "button", "combobox", "form", "image", "link", "navigation", "region", "searchbox", "table", "textbox",
}  # fmt: skip
FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of so many sentences that some come on request, opened once."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(html_page(results(150, methods=METHODS), project=ROOT), encoding="utf-8")
    with tab() as browser:
        browser.open(path)
        browser.call("Accessibility.enable")
        yield browser


@pytest.fixture
def fresh(page):
    """The page as it was opened: nothing chosen, nothing focused."""
    page.call("Page.reload")
    page.events.clear()
    while not any(event["method"] == "Page.loadEventFired" for event in page.events):
        page.run("1")
    return page


def press(page: Tab, key: str) -> None:
    code = {"windowsVirtualKeyCode": KEYS[key], "key": key, "code": "Space" if key == " " else key}
    text = {"Enter": "\r", " ": " "}.get(key)
    page.call("Input.dispatchKeyEvent", type="keyDown", **code, **({"text": text} if text else {}))
    page.call("Input.dispatchKeyEvent", type="keyUp", **code)


def focus_on(page: Tab, name: str) -> None:
    """Press Tab until the element with this id has the focus."""
    for _ in range(200):
        press(page, "Tab")
        if page.run("document.activeElement.id") == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def nodes(page: Tab) -> list[tuple[str, str, dict[str, Any]]]:
    """Role, name and properties of everything that a screen reader is told of, in order."""
    return [
        (
            node["role"]["value"],
            node.get("name", {}).get("value", ""),
            {one["name"]: one["value"].get("value") for one in node.get("properties", [])},
        )
        for node in page.call("Accessibility.getFullAXTree")["nodes"]
        if not node["ignored"]
    ]


def test_tab_reaches_every_control_in_order_and_shows_where_it_is(fresh):
    count = fresh.run(
        f"""(() => {{ const all = [...document.querySelectorAll("{FOCUSABLE}")]
            .filter(one => one.checkVisibility());
            all.forEach((one, number) => one.dataset.number = number); return all.length; }})()"""
    )
    reached, outlines = [], []
    for _ in range(count):
        press(fresh, "Tab")
        reached.append(int(fresh.run("document.activeElement.dataset.number ?? -1")))
        outlines.append(fresh.run("getComputedStyle(document.activeElement).outlineStyle"))
    assert reached == list(range(count))
    assert set(outlines) == {"solid"}


def test_the_first_tab_leads_past_the_navigation(fresh):
    press(fresh, "Tab")
    assert fresh.run("document.activeElement.getBoundingClientRect().left") >= 0
    press(fresh, "Enter")
    assert fresh.run("location.hash") == "#main"


def test_the_keyboard_alone_chooses_searches_and_asks_for_more(fresh):
    focus_on(fresh, "view")
    before = fresh.run("document.getElementById('count').textContent")
    for _ in range(5):
        press(fresh, "ArrowDown")
    assert fresh.run("document.getElementById('view').value") == "all"
    assert fresh.run("document.getElementById('count').textContent") != before
    focus_on(fresh, "more")
    press(fresh, "Enter")
    assert fresh.run("document.querySelectorAll('#sentences > li').length") == 80
    fresh.run("document.getElementById('view').focus()")
    focus_on(fresh, "search")
    fresh.call("Input.insertText", text="no such word")
    press(fresh, "Enter")
    assert fresh.run("document.getElementById('count').textContent") == "0 sentences"


def test_numbers_of_a_picture_open_by_keyboard(fresh):
    fresh.run("document.querySelector('figure .scroll').focus()")
    press(fresh, "Tab")
    press(fresh, " ")
    assert fresh.run("document.querySelector('details').open")


def test_a_screen_reader_is_told_what_everything_is(fresh):
    fresh.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    told = nodes(fresh)
    roles = Counter(role for role, _, _ in told)
    assert [(role, name) for role, name, _ in told if role in NAMED and not name.strip()] == []
    assert roles["main"] == roles["banner"] == roles["navigation"] == roles["status"] == 1
    assert roles["image"] == fresh.run("document.querySelectorAll('figure').length") > 5
    levels = [properties["level"] for role, _, properties in told if role == "heading"]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert fresh.run("document.documentElement.lang") == "en"
    ids = fresh.run("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert max(Counter(ids).values()) == 1


def test_a_sentence_is_told_with_its_spans_by_gold_and_models(fresh):
    listed = [name for role, name, _ in nodes(fresh) if role == "StaticText" and ". gold: " in name]
    assert len(listed) == fresh.run("document.querySelectorAll('#sentences > li').length") > 0
    assert all(re.search(r"\. gold: .+\. teacher: .+\. structural: .+", line, re.S) for line in listed)


@pytest.mark.parametrize("dark", [False, True])
def test_paper_has_everything_in_dark_on_light_and_no_controls(page, dark):
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    page.call("Emulation.setDeviceMetricsOverride", width=A4, height=1000, deviceScaleFactor=1, mobile=False)
    page.call("Emulation.setEmulatedMedia", media="print", features=[scheme])
    try:
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.run("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        for control in ("nav", ".theme", ".skip", "#filters", "#more"):
            assert not page.run(f"document.querySelector('{control}').checkVisibility()"), control
        assert (
            page.run(f"""[...document.querySelectorAll("table, figure, pre, #sentences > li")]
            .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > {A4} + 1)
            .map(one => one.tagName + " " + one.textContent.trim().slice(0, 40))""")
            == []
        )
        pdf = base64.b64decode(page.call("Page.printToPDF", printBackground=True)["data"])
        assert pdf.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3
    finally:
        page.call("Emulation.setEmulatedMedia", media="", features=[])
        page.call("Emulation.clearDeviceMetricsOverride")
