"""The page in a real browser: nothing is asked for, nothing complains, and the filters filter."""

from pathlib import Path

import pytest

from pipeline.reporting.examples import error_examples
from pipeline.reporting.html_page import html_page
from tests.helpers.browser import CHROMIUM, tab
from tests.helpers.html_results import results
from tests.reporting.test_html_page import HOSTILE

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run():
    return results()


@pytest.fixture(scope="module")
def browser():
    with tab() as page:
        yield page


@pytest.fixture
def opened(run, browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(html_page(run, project=ROOT), encoding="utf-8")
    browser.open(path)
    return browser


def choose(page, field, value):
    page.run(f"""(() => {{ const field = document.getElementById("{field}"); field.value = {value!r};
        field.dispatchEvent(new Event("input", {{bubbles: true}})); }})()""")


def shown(page):
    """The ids of the sentences on the page."""
    return page.run(
        """[...document.querySelectorAll("#sentences .rows span:first-child")]
        .map(number => Number(number.textContent.slice(1)))"""
    )


def models(run):
    students = {
        name: max(runs.values(), key=lambda one: one.metrics["development_f1"])
        for name, runs in run.students.items()
    }
    return {"teacher": run.teacher, **students}


def test_no_request_and_no_complaint(opened):
    assert [address.split(":")[0] for address in opened.requests] == ["file"]
    assert opened.complaints == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_screen(run, browser, tmp_path, width, dark):
    path = tmp_path / "index.html"
    path.write_text(html_page(run, project=ROOT), encoding="utf-8")
    browser.open(path, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_wider_than_its_frame_says_so(run, browser, tmp_path, width):
    path = tmp_path / "index.html"
    path.write_text(html_page(run, project=ROOT), encoding="utf-8")
    browser.open(path, width=width)
    told = browser.run(
        """[...document.querySelectorAll("figure > .scroll")].map(frame => [
        frame.querySelector("svg").getBoundingClientRect().width > frame.clientWidth + 1,
        getComputedStyle(frame, "::after").content.includes("scroll sideways")])"""
    )
    assert all(wider == says for wider, says in told)
    assert any(wider for wider, _ in told) == (width == 390)


@pytest.mark.parametrize("student", ["structural", "efficient"])
def test_views_show_the_sentences_that_they_name(run, opened, student):
    found = models(run)
    right = {
        name: [a == b for a, b in zip(one.gold, one.predicted, strict=True)] for name, one in found.items()
    }
    number = list(found).index(student)
    choose(opened, "student", str(number))
    wanted = {
        "lost": lambda row: right["teacher"][row] and not right[student][row],
        "won": lambda row: right[student][row] and not right["teacher"][row],
        "mended": lambda row: right[student][row] and not right["vanilla"][row],
        "broken": lambda row: right["vanilla"][row] and not right[student][row],
        "both": lambda row: (
            not right["vanilla" if student == "vanilla" else student][row] and not right["teacher"][row]
        ),
        "all": lambda row: not all(one[row] for one in right.values()),
    }
    for view, holds in wanted.items():
        choose(opened, "view", view)
        assert shown(opened) == [row for row in range(len(found["teacher"].gold)) if holds(row)][:40], view


def test_search_and_types_narrow_the_list(run, opened):
    examples = error_examples(models(run), scheme="iob2")
    choose(opened, "view", "all")
    word = examples["sentences"][3]["words"][0]
    choose(opened, "search", word.upper())
    assert shown(opened) == [s["id"] for s in examples["sentences"] if word in " ".join(s["words"])]
    choose(opened, "search", "no such word")
    assert shown(opened) == []
    assert opened.run("document.getElementById('count').textContent") == "0 sentences"
    choose(opened, "search", "")
    everything = len(shown(opened))
    choose(opened, "type", "0")
    some = len(shown(opened))
    choose(opened, "kind", "invented")
    assert 0 < len(shown(opened)) < some < everything


def test_more_is_shown_on_request(browser, tmp_path):
    path = tmp_path / "index.html"
    path.write_text(html_page(results(150), project=ROOT), encoding="utf-8")
    browser.open(path)
    choose(browser, "view", "all")
    assert len(shown(browser)) == 40
    browser.run("document.getElementById('more').click()")
    assert len(shown(browser)) == 80


def test_colours_can_be_chosen(opened):
    opened.run("""(() => { const f = document.getElementById("theme"); f.value = "dark";
        f.dispatchEvent(new Event("change", {bubbles: true})); })()""")
    assert opened.run("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"


def test_markup_in_words_types_and_names_does_nothing(browser, tmp_path):
    path = tmp_path / "index.html"
    run = results(
        40, types=["<script>hacked=1</script>", 'x" onload="hacked=1', "PER"], words=HOSTILE, task=HOSTILE[0]
    )
    path.write_text(html_page(run, project=ROOT), encoding="utf-8")
    browser.open(path)
    choose(browser, "view", "all")
    assert browser.complaints == []
    assert len(browser.requests) == 1
    assert browser.run("typeof hacked") == "undefined"
    assert browser.run("document.querySelectorAll('#sentences img, #sentences script').length") == 0
    assert HOSTILE[0] in browser.run("document.querySelector('h1').textContent")
