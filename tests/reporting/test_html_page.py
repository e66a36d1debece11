"""The page says what was measured, is one file that loads nothing, and takes untrusted text as text."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.reporting.html_page import html_page
from tests.helpers.html_results import results
from tests.helpers.sample_run import METHODS

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "<script>window.hacked=1</script>", "</script><script>window.hacked=1</script>",
    "<img src=x onerror=hacked=1>", "<!--", "{{7*7}}", "'\"><b>", "&amp;", "\u202eevil", "]]>", "\\u003c",
]  # fmt: skip


class Elements(HTMLParser):
    """Start tags with their attributes, and the text of the whole."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def run():
    return results()


@pytest.fixture(scope="module")
def page(run):
    return html_page(run, project=ROOT)


def test_nothing_is_loaded(page):
    for tag, attributes in Elements(page).found:
        loaded = {
            attributes.get(name) for name in ("src", "href", "xlink:href", "data", "action", "srcset")
        } - {None}
        assert all(str(address).startswith("#") or address == "data:," for address in loaded), (
            tag,
            attributes,
        )
    assert "@import" not in page
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {
        f"#{found}" for found in re.findall(r'id="([^"]+)"', page)
    }
    assert "default-src 'none'" in page


def test_ids_are_there_once_and_links_lead_to_them(page):
    found = Elements(page).found
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(attributes["href"]) for tag, attributes in found if tag == "a"}
    links = {target[1:] for target in targets if target.startswith("#")}
    assert links
    assert links <= set(ids)


def test_every_picture_and_region_has_a_name_and_every_field_a_label(page):
    found = Elements(page).found
    named = [attributes for _, attributes in found if attributes.get("role") in ("img", "region")]
    assert len(named) > 8
    assert all(attributes.get("aria-label") for attributes in named)
    assert page.count("<label") == len([tag for tag, _ in found if tag in ("select", "input")])
    assert all("scope" in attributes for tag, attributes in found if tag == "th")


def test_the_figures_are_the_summarys(run, page):
    text = " ".join("".join(Elements(page).texts).split())
    for figures in run.summary["methods"].values():
        assert f"{figures['f1']['mean']:.2f}" in text
        assert f"± {figures['f1']['std']:.2f}" in text
    assert f"{run.summary['teacher']['f1']:.2f}" in text
    method, _ = run.best
    assert f"The best student is {method}" in text
    assert f"closes {run.summary['methods'][method]['gap_closed']:.0%} of the gap" in text
    for kind, rates in run.summary["teacher"]["types"].items():
        assert f"{kind} {rates['gold']}" in text.replace(f"{kind}{rates['gold']}", f"{kind} {rates['gold']}")


def test_a_gap_that_rounds_to_nothing_has_no_sign(run):
    figures = {**run.summary["methods"]["structural"], "gap_closed": -0.004}
    methods = {**run.summary["methods"], "structural": figures}
    page = html_page(replace(run, summary={**run.summary, "methods": methods}), project=ROOT)
    assert "<td>0%</td>" in page
    assert "-0%" not in page


def test_the_papers_figures_are_marked_as_the_papers(page):
    (cell,) = re.findall(r'<td class="paper">92\.31</td>', page)  # the teacher's F1 on CoNLL-2003
    assert cell
    assert "the figures of the paper" in page
    chunking = html_page(results(30, methods=["vanilla"], task="conll2000"), project=ROOT)
    assert '<td class="paper">97.80</td>' in chunking
    assert "92.31" not in chunking


def test_what_is_not_significant_is_marked_so():
    run = results(30)
    for method, figures in run.summary["methods"].items():
        figures["differs_from_vanilla"] = None if method == "vanilla" else method == "efficient"
    rows = html_page(run, project=ROOT).split('<th scope="row"><code>')
    marked = {row.split("<")[0] for row in rows[1:] if 'class="noise"' in row.split("</tr>")[0]}
    assert marked == {"structural"}


def test_parameters_other_than_the_default_are_marked(page):
    assert re.search(r"student\.init</code></th><td><b>pretrained</b></td><td>teacher", page)
    assert re.search(r"teacher\.keep</code></th><td>best</td><td>best", page)


def test_untrusted_text_stays_text():
    run = results(
        40, types=["<script>hacked=1</script>", 'x" onload="hacked=1', "PER"], words=HOSTILE, task=HOSTILE[0]
    )
    page = html_page(run, project=ROOT)
    found = Elements(page).found
    assert [tag for tag, _ in found if tag == "script"] == ["script"] * 2
    assert not [tag for tag, _ in found if tag in ("img", "b:", "iframe")]
    assert not [attributes for _, attributes in found if any(name.startswith("on") for name in attributes)]
    data = re.findall(r'<script type="application/json" id="examples">(.*?)</script>', page, re.DOTALL)[0]
    assert {word for sentence in json.loads(data)["sentences"] for word in sentence["words"]} <= set(HOSTILE)


def test_one_seed_one_method_and_no_vanilla_are_a_page():
    for methods in (["vanilla"], ["efficient"], ["mine"]):
        text = html_page(results(20, methods=methods, seeds=[3]), project=Path("/"))
        assert "With one seed" in text
        assert "not a git checkout" in text
        assert "None" not in "".join(Elements(text.split("<script")[0]).texts)


@pytest.mark.slow
def test_a_large_run_is_below_2_mb():
    page = html_page(results(3500, methods=METHODS, seeds=range(1, 6)), project=ROOT)
    assert len(page.encode()) < 2_000_000
