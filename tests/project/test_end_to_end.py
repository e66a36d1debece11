"""Every stage in turn, as dvc.yaml runs it, on a tiny corpus and encoder: what a user finds at the end."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from benchmarks.pages.page_section import BEGIN, END
from benchmarks.pages.written_pages import written_pages
from tests.helpers.tiny_corpus import columns, sentences
from tests.helpers.tiny_project import PER_RUN, ROOT, SHARED, commands, invoke, lay_out

METHODS = ["vanilla", "efficient", "kbest"]
SEEDS = [3, 4]
LAST = ("evaluate_teacher", "time_epochs", "headline", "report")


@pytest.fixture(scope="module")
def project(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which all stages have run."""
    place = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("DVC_ROOT", str(place))
        patch.delenv("CORPUS_MIRROR", raising=False)
        for split, count, seed in (("train", 96, 0), ("dev", 24, 1), ("test", 24, 2)):
            (place / f"{split}.txt").write_text(columns(sentences(count, seed=seed)))
        files = {split: f"{split}.txt" for split in ("train", "dev", "test")}
        lay_out(place, bert, {"files": files}, METHODS, SEEDS)
        for command in commands(METHODS, SEEDS, LAST):
            invoke(command)
        yield place


def read(path: str) -> Any:
    return json.loads(Path(path).read_text())


def test_all_stages_of_dvc_yaml_ran(project: Path) -> None:
    stages = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    assert set(stages) == {target.partition("@")[0] for target in (*SHARED, *PER_RUN, *LAST)}


def test_the_summary_has_what_users_rely_on(project: Path) -> None:
    summary = read("reports/summary.json")
    assert summary["task"] == "tiny"
    assert set(summary["methods"]) == set(METHODS)
    rates, size = {"precision", "recall", "f1", "token_f1", "constrained_f1"}, {"parameters", "megabytes"}
    assert rates | size | {"sentences_per_second"} <= set(summary["teacher"])
    for figures in summary["methods"].values():
        for name in rates:
            assert set(figures[name]) == {"mean", "std", "seeds"}
            assert set(figures[name]["seeds"]) == {str(seed) for seed in SEEDS}
        assert figures["parameters"] < summary["teacher"]["parameters"]
        assert "gap_closed" in figures


def test_the_headline_is_the_summary_of_its_method(project: Path) -> None:
    headline, summary = read("metrics/headline.json"), read("reports/summary.json")
    assert headline["method"] == "kbest"
    assert headline["f1"] == summary["methods"]["kbest"]["f1"]["mean"]
    assert not any(isinstance(value, dict | list) for value in headline.values())
    assert read("metrics/methods/kbest.json")["f1"] == pytest.approx(headline["f1"], abs=0.005)


def test_timing_has_both_blocks_and_the_lower_bound(project: Path) -> None:
    timing = read("reports/timing.json")
    phases = {"teacher_forward", "student_forward", "student_backward", "total"}
    for block in ("published", "pipeline"):
        assert set(timing[block]) == set(METHODS)
        assert all(set(figures) == phases for figures in timing[block].values())
    assert timing["lower_bound"]["total"] > 0
    assert timing["device"]


def test_plots_and_page_are_written(project: Path) -> None:
    curves = pd.read_csv("plots/learning_curves.csv")
    assert set(curves["model"]) == {"teacher", *METHODS}
    assert set(curves["epoch"]) == {1, 2}
    assert set(pd.read_csv("plots/f1.csv")["method"]) == {"teacher", *METHODS}
    assert set(pd.read_csv("plots/epoch_time.csv")["block"]) == {"published", "pipeline"}
    words = pd.read_csv("plots/confusion.csv")["words"].sum()
    assert words == len(SEEDS) * sum(len(sentence.words) for sentence in sentences(24, seed=2))
    assert set(pd.read_csv("plots/f1_by_latency.csv")["model"]) == {"teacher", *METHODS}
    assert set(pd.read_csv("plots/reliability.csv")["model"]) == {"teacher", *METHODS}
    assert len(pd.read_csv("plots/transitions.csv")["matrix"].unique()) == 3
    page = Path("reports/summary.md").read_text()
    assert all(f"| `{method}` |" in page for method in METHODS)


def test_the_report_ends_with_what_to_do_next(project: Path) -> None:
    *_, report = commands(METHODS, SEEDS, LAST)
    best, tag, page = invoke(report).rstrip().splitlines()[-3:]
    student = best.split()[2]
    assert Path(student, "model.safetensors").is_file()
    assert f"--model {student} " in tag
    assert "<h1>Results on tiny</h1>" in Path(page.split()[-1]).read_text()


def test_results_are_kept_with_what_made_them(project: Path) -> None:
    pages = written_pages(Path("results"))
    for page in pages:
        Path(page).parent.mkdir(exist_ok=True)
        Path(page).write_text(f"{BEGIN}\n{END}\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost"]
    for arguments in (["init", "-q"], ["add", "params.yaml"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], check=True)
    for path in ("pipeline", "stages"):  # links here; a project has them in git
        Path(path).unlink()
    said = invoke("python -m benchmarks.results --keep cpu").splitlines()
    assert said == [
        "recorded results/tiny-cpu/summary.json",
        "recorded results/tiny-cpu/timing.json",
        "wrote results/tiny-cpu/f1.svg",
        "wrote results/tiny-cpu/epoch_time.svg",
        "no page shows tiny: README and docs show only conll2000, conll2003, newsdesk",
    ]
    assert {Path(page).read_text() for page in pages} == {f"{BEGIN}\n{END}\n"}
    run = read("results/tiny-cpu/summary.json")["run"]
    assert re.fullmatch("[0-9a-f]{40}", run["commit"])
    assert run["parameters"]["student"]["layers"] == 1
    assert run["parameters"]["distill"]["kbest"]["k"] == 3
    assert {"torch", "transformers", "dvc"} < set(run["versions"])
    assert Path("results/tiny-cpu/f1.svg").exists()
