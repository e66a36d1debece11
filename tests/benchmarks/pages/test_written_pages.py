import json
import re
from pathlib import Path

import pytest

from benchmarks.pages.page_section import with_section
from benchmarks.pages.recorded_runs import pictures
from benchmarks.pages.written_pages import CORPORA, written_pages
from pipeline.errors import UserError
from tests.benchmarks.pages.test_peers_table import INT8, result, row
from tests.helpers.recorded_runs import recorded_in

ROOT = Path(__file__).parents[3]
README = Path("README.md")


def test_exports_are_shown(tmp_path: Path) -> None:
    results = recorded_in(tmp_path)
    figures = {"model": "student", "threads": 3, "megabytes": 1.23, "latency_ms": 4.56}
    figures |= {"sentences_per_second": 78.9, "times_teacher": 5.678, "f1": 91.234}
    result = {"commit": "abc", "device": "a machine", "sentences": 55, "rows": [figures]}
    (results / "latency.json").write_text(json.dumps(result))
    assert "| student | 3 | 1.2 | 4.6 | 79 | 5.68 | 91.23 |" in written_pages(results)[README]
    (results / "latency.json").write_text("{")
    with pytest.raises(UserError, match=r"latency\.json: not JSON"):
        written_pages(results)


def test_other_taggers_are_shown_for_each_corpus(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    for task in ("conll2003", "newsdesk", "mine"):
        content = result(row(INT8, 82.0, 5_000, 10_000)) | {"task": task}
        (results / f"peers-{task}.json").write_text(json.dumps(content))
    text = written_pages(results)[Path("docs/benchmarks.md")]
    assert re.findall("^#.*", text, re.MULTILINE) == [
        "## Beside other taggers",
        "### conll2003",
        "### newsdesk",
    ]


def test_without_results_nothing_is_shown(tmp_path: Path) -> None:
    assert set(written_pages(tmp_path / "results").values()) == {""}


def test_runs_on_another_corpus_are_on_no_page(tmp_path: Path) -> None:
    results = recorded_in(tmp_path, task="mine")
    (results / "mine-heads-cpu.json").write_text("{}")
    assert set(written_pages(results).values()) == {""}
    assert results / "mine-cpu" / "f1.svg" in pictures(results)


def test_a_run_is_on_the_page_of_its_corpus(tmp_path: Path) -> None:
    pages = written_pages(recorded_in(tmp_path, task="conll2000"))
    assert "## conll2000-cpu" in pages[Path("docs/results-conll2000.md")]
    assert pages[Path("docs/results-conll2003.md")] == ""
    assert "[conll2000-cpu](docs/results-conll2000.md#conll2000-cpu)" in pages[README]


def test_the_pages_and_pictures_are_what_the_results_say() -> None:
    pages = written_pages(ROOT / "results")
    assert {page.name for page in pages} > {f"results-{task}.md" for task in CORPORA}
    for page, body in pages.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert with_section(text, body, page) == text
    for path, drawn in pictures(ROOT / "results").items():
        assert said(path.read_text(encoding="utf-8")) == said(drawn)


def said(picture: str) -> list[str]:
    """The texts and labels of a picture; where they stand depends on the fonts of a machine."""
    return re.findall(r'aria-label="([^"]*)"|>([^<>]+)</text>', picture)
