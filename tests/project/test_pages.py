"""Every command, link and parameter that the pages name is there, and the pages' examples run as written."""

import importlib
import json
import re
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from pipeline.inference.tagger import load
from pipeline.reporting.method_metrics import method_metrics
from pipeline.reporting.summary import BASELINES, LEVEL, UNDISTILLED, summarise
from tests.helpers.pages import DOCS, PAGES, ROOT, blocks, commands, read
from tests.helpers.params_cases import TREE, load_from
from tests.helpers.resolved_stages import resolved
from tests.helpers.sample_results import evaluation, write
from tests.helpers.tiny_corpus import columns, sentences
from tests.helpers.tiny_project import commands as commands_of_dvc_yaml
from tests.helpers.tiny_project import invoke, lay_out

OWN, RESULTS = "docs/own-data.md", "docs/read-the-results.md"
ENGINEER, RESEARCHER = "docs/walk-engineer.md", "docs/walk-researcher.md"
OTHERS = {"git", "make", "echo", "pip", "pytest", "cd", "gto", "."}  # programs of which nothing is checked
NEW = "wordwise"  # the method of docs/add-a-method.md


def changed(settings: list[str]) -> dict[str, Any]:
    """The real parameters, with the page's new method, and with what `-S` of `dvc exp run` sets."""
    tree = deepcopy(TREE)
    tree["methods"].append(NEW)
    tree["distill"][NEW] = {"temperature": 1.0}
    for key, _, value in (setting.partition("=") for setting in settings):
        *groups, last = key.split(".")
        inner: Any = tree
        for group in groups:
            inner = inner[group]
        assert last in inner, f"{key} is no parameter"
        one = value if value.startswith("[") else value.partition(",")[0]  # of values that make a run each
        inner[last] = YAML(typ="safe", pure=True).load(one)
    return tree


def anchors(text: str) -> set[str]:
    """The addresses that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def without_new(tree: dict[str, Any]) -> dict[str, Any]:
    """The parameters without the page's method, which has no file here."""
    del tree["distill"][NEW]
    tree["methods"].remove(NEW)
    return tree


@pytest.mark.parametrize("page", PAGES)
def test_commands_take_the_arguments_that_the_page_gives(page: str, tmp_path: Path) -> None:
    from dvc.cli.parser import get_main_parser

    for program, *arguments in commands(page):
        if program == "python":
            assert arguments[0] == "-m"
            if arguments[1].startswith("benchmarks."):
                assert (ROOT / arguments[1].replace(".", "/")).with_suffix(".py").is_file()
                continue
            app = typer.Typer()
            app.command()(importlib.import_module(arguments[1]).main)
            typed = [str(ROOT / "README.md") if before == "--check" else word
                     for before, word in zip(["", *arguments], arguments, strict=False)][2:]  # fmt: skip
            typer.main.get_command(app).make_context(arguments[1], typed)  # raises if one is unknown
        elif program == "dvc":
            known = get_main_parser().parse_args(arguments)
            stages = {name for stage in resolved() for name in (stage, stage.partition("@")[0])}
            if arguments[0] == "repro" or arguments[:2] == ["exp", "run"]:
                assert {target.replace(NEW, "kbest") for target in known.targets} <= stages
            load_from(tmp_path / "params.yaml", without_new(changed(getattr(known, "set_param", None) or [])))
        else:
            assert program in OTHERS, program


@pytest.mark.parametrize("page", PAGES)
def test_shell_scripts_are_read_by_bash(page: str) -> None:
    for script in blocks(page, "sh"):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", read(page)):
        assert link.startswith("https://") or ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_running_text_are_there(page: str) -> None:
    for module in re.findall(r"python -m ((?:stages|benchmarks)(?:\.\w+)+)", read(page)):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize("page", PAGES)
def test_links_to_headings_lead_to_headings(page: str) -> None:
    for path, heading in re.findall(r"\]\(([\w./-]*\.md)?#([^)]+)\)", read(page)):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert heading in anchors(target.read_text(encoding="utf-8")), f"{path}#{heading}"


@pytest.mark.parametrize("page", PAGES)
def test_folders_that_a_page_tells_to_write_are_ignored_by_git(page: str) -> None:
    written = re.findall(r"(?:--out|>) ([\w./-]+)$", "\n".join(blocks(page, "console")), re.MULTILINE)
    for path in written:
        run = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False)
        if run.returncode > 1:
            pytest.skip("this is no git checkout")
        assert run.returncode == 0, path


def test_the_readme_is_short_and_has_two_tables_of_results_at_most() -> None:
    assert read("README.md").count("\n") < 200
    assert read("README.md").split("<!-- results")[1].count("| :-- |") <= 2


def test_the_readme_links_every_page() -> None:
    assert set(re.findall(r"\]\((docs/[\w-]+\.md)\)", read("README.md"))) == set(DOCS)


# docs/own-data.md


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("CORPUS_MIRROR", raising=False)
    (tmp_path / "data/own/mine").mkdir(parents=True)
    return tmp_path


def test_own_data_from_file_to_tags_as_the_page_says(place: Path, bert: Path) -> None:
    example, reported = blocks(OWN, "text")
    (described,) = (YAML(typ="safe", pure=True).load(block) for block in blocks(OWN, "yaml"))
    (name,) = described["corpora"]
    assert described["task"] == name
    Path("data/own/mine/train.conll").write_text(example + "\n" + columns(sentences(230)))
    Path("data/own/mine/test.conll").write_text(example)
    lay_out(place, bert, described["corpora"][name], ["structural"], [1])

    check_all, check, train, predict = commands(OWN)
    bad = "Anna B-PER\nleft\nParis O\n\nRome V-LOC\n"
    Path("data/own/mine/bad.conll").write_text(bad)
    found = invoke(" ".join(check).replace("train.conll", "bad.conll"), status=1)
    assert found == reported
    assert "problems: 0" in invoke(" ".join(check))
    assert invoke(" ".join(check_all)).count("problems: 0") == 2

    assert train == ["dvc", "repro", "evaluate@structural-1"]
    for command in commands_of_dvc_yaml(["structural"], [1]):
        invoke(command)
    Path("news.txt").write_text("Anna Hope left Paris.\n")
    lines = invoke(" ".join(predict)).splitlines()
    assert [line.split(" ")[0] for line in lines if line] == ["Anna", "Hope", "left", "Paris", "."]
    (python,) = blocks(OWN, "python")
    exec(compile(python, OWN, "exec"), {})
    assert set(load(predict[4]).tags) > {"O", "B-PER", "I-PER", "B-LOC"}


def test_the_entries_of_the_page_are_taken(tmp_path: Path) -> None:
    (described,) = (YAML(typ="safe", pure=True).load(block) for block in blocks(OWN, "yaml"))
    plain = described["corpora"]["mine"]
    records = {key: value for key, value in plain.items() if key not in ("word", "tag")}
    shown = re.findall(r"`(\w+: [^`]+)`", read(OWN).split("| the entry |")[1].split("## 3")[0])
    taken = set()
    for text in shown:
        ((key, value),) = YAML(typ="safe", pure=True).load(f"{{{text}}}").items()
        if key == "teacher.encoder":
            continue
        by_name = key in ("names", "format") or value in ("text", "labels")
        entry = (records | {"format": "jsonl"} if by_name else plain) | {key: value}
        params = load_from(tmp_path / "params.yaml", TREE | {"corpora": {"mine": entry}, "task": "mine"})
        assert json.loads(params.corpus.model_dump_json())[key] == value
        taken.add(key)
    assert taken == {"scheme", "encoding", "separator", "comment", "format", "names", "word", "tag"}


# docs/read-the-results.md


def keys_of(heading: str) -> set[str]:
    """What stands in the first column of the table under a heading."""
    section = read(RESULTS).split(f"\n## `{heading}`")[1].split("\n## ")[0]
    rows = re.findall(r"^\|(.*?)\|", section, re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def keys_in(value: Any, depth: int) -> set[str]:
    """The keys of nested objects down to a depth."""
    if not isinstance(value, dict) or depth == 0:
        return set()
    return set(value).union(*(keys_in(inner, depth - 1) for inner in value.values()))


def test_the_page_explains_every_key_of_the_summary() -> None:
    students = {name: {1: evaluation(0)} for name in ("vanilla", "kbest")}
    summary = summarise(evaluation(), students, task="toy", scheme="iob2", samples=10)
    assert keys_of("reports/summary.json") == keys_in(summary, 3) - set(summary["methods"]) - {
        "mean", "std", "seeds", "LOC", "ORG", "PER"
    } | {"gold"}  # fmt: skip
    text = read(RESULTS)
    assert all(f"`{key}`" in text for key in ("mean", "std", "seeds", "f1_std", "teacher_f1"))
    assert f"p < {LEVEL}" in text
    assert f"{', '.join(BASELINES[:-1])} and {BASELINES[-1]}" in text
    assert BASELINES[0] == UNDISTILLED
    (shown,) = re.findall(r"`metrics/methods` has (.*?) of the teacher", text, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", shown)) == set(method_metrics(summary)["kbest"])


def test_the_page_explains_every_key_of_the_timing() -> None:
    timing = json.loads((ROOT / "results/newsdesk-cpu/timing.json").read_text())
    del timing["run"]  # added by `benchmarks.results --keep`
    phases = set(timing["lower_bound"]) | set(timing["published"]["vanilla"])
    told = keys_of("reports/timing.json")
    assert told == set(timing) - {"task", "device"} | phases
    assert "`published_to_lower_bound`" in read(RESULTS)
    assert "published_to_lower_bound" in timing["ratios"]


def test_the_page_names_plots_and_files_that_are_there() -> None:
    outs = {out for facts in resolved().values() for out in facts["outs"]}
    named = set(re.findall(r"`((?:plots|metrics|reports)/[\w.]+)`", read(RESULTS)))
    assert named <= outs
    assert outs & named == {out for out in outs if out.split("/")[0] in ("plots", "metrics", "reports")}


def test_the_page_tests_two_runs_as_the_report_tests_two_methods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {"vanilla": evaluation(0, 1, repeat=8), "kbest": evaluation(2, repeat=8)}
    for folder, model in zip(("two-layers", "data/eval/structural/1"), models.values(), strict=True):
        write(tmp_path / folder, model)
    (python,) = blocks(RESULTS, "python")
    exec(compile(python, RESULTS, "exec"), {})
    students = {name: {1: model} for name, model in models.items()}
    teacher = evaluation(repeat=8)
    methods = summarise(teacher, students, task="toy", scheme="iob2")["methods"]
    f1 = [methods[name]["f1"]["mean"] for name in models]
    assert [*map(float, capsys.readouterr().out.split())] == [*f1, methods["kbest"]["p_value_vs_vanilla"]]
    assert f1[0] != f1[1]


# docs/walk-engineer.md


def test_the_engineers_parameters_are_taken(tmp_path: Path) -> None:
    entry, values = (YAML(typ="safe", pure=True).load(block) for block in blocks(ENGINEER, "yaml"))
    tree = deepcopy(TREE)
    tree["corpora"] = entry["corpora"] | tree["corpora"]
    params = load_from(tmp_path / "params.yaml", tree | values)
    assert params.task in entry["corpora"]
    paths = set(re.findall(r"data/own/news/[\w.]+", blocks(ENGINEER, "text")[0]))
    assert {str(path) for path in params.corpus.files.model_dump(exclude_none=True).values()} < paths
    assert set(re.findall(r"data/own/news/[\w.]+", read(ENGINEER))) <= paths


# docs/walk-researcher.md


def test_the_researchers_pieces_are_functions_of_the_script() -> None:
    script = (ROOT / "benchmarks/studies/reproduce.sh").read_text(encoding="utf-8")
    pieces = set(re.findall(r"reproduce\.sh (\w+)", read(RESEARCHER)))
    assert pieces >= {"grid", "students", "table1"}
    assert pieces <= set(re.findall(r"^(\w+)\(\) \{", script, re.MULTILINE))
    for name in re.findall(r"\b([A-Z]+)=", "".join(blocks(RESEARCHER, "sh"))):
        assert name in script or name == "CUDA_VISIBLE_DEVICES"
