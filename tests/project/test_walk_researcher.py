"""The researcher's walk as its page has it, with a tiny encoder, tiny corpora and two seeds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.checkout import Checkout
from tests.helpers.pages import read
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_encoders import POSITIONS, write_encoder

PAGE = "docs/walk-researcher.md"
FILES = {
    "conll2000": {"train.txt": 60, "test.txt": 12},
    "conll2003": {"eng.train": 50, "eng.testa": 12, "eng.testb": 12},
}
"""Sentences of each file."""
COLUMNS = {"conll2000": "{word} NN {tag}", "conll2003": "{word} NN NP {tag}"}


def write_corpora(root: Path) -> None:
    """Copies of both corpora, as step 1 of the page asks for."""
    for seed, (task, files) in enumerate(FILES.items()):
        (root / task).mkdir(parents=True)
        for part, (name, count) in enumerate(files.items()):
            lines = []
            for sentence in sentences(count, seed=10 * seed + part):
                tagged = zip(sentence.words, sentence.tags or (), strict=True)
                lines += [COLUMNS[task].format(word=word, tag=tag) for word, tag in tagged] + [""]
            (root / task / name).write_text("\n".join(lines) + "\n")


def make_tiny(checkout: Checkout) -> None:
    """Commit parameters for a tiny encoder, and for corpora that are not the real ones."""
    yaml, path = YAML(typ="safe", pure=True), checkout.root / "params.yaml"
    tree: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"))
    for task in FILES:
        for key in ("counts", "checksums"):
            tree["corpora"][task].pop(key, None)
    tree["corpora"]["conll2000"]["hold_out"] = 12
    tree["prepare"] = {"window": POSITIONS, "overlap": 6}
    tree["time_epochs"] |= {"epochs": 1, "batches": 1}
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    checkout.commit("tiny")


def walk(changes: dict[str, str]) -> str:
    """All commands of the page as one script, changed; each change must find its place."""
    lines = []
    for language, block in re.findall(r"^```(sh|console)\n(.*?)^```$", read(PAGE), re.DOTALL | re.MULTILINE):
        lines += re.findall(r"^\$ (.*)$", block, re.MULTILINE) if language == "console" else [block]
    script = "\n".join(["set -eu", *lines])
    for old, new in changes.items():
        assert old in script, old
        script = script.replace(old, new)
    return script


@pytest.mark.slow
def test_the_researchers_walk(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "project")
    make_tiny(checkout)
    write_corpora(tmp_path / "corpora")
    write_encoder(tmp_path / "bert-base-cased", "bert", num_hidden_layers=4)
    script = walk(
        {
            "https://ADDRESS/OF/THIS/PROJECT": str(checkout.root),
            "make -C gpu$gpu .venv/installed-dev": "mkdir -p gpu$gpu/.venv/bin; touch $_/activate",
            "/scratch/dvc-cache": str(tmp_path / "cache"),
            "google-bert/bert-base-cased": str(tmp_path / "bert-base-cased"),
            "conll2000 1 2 3": "conll2000 1",
            "conll2003 1 2 3": "conll2003 1",
            " 4 5": " 2",
            "benchmarks/studies/reproduce.sh table1": 'SEEDS="1 2" benchmarks/studies/reproduce.sh table1',
        }
    )
    clones = tmp_path / "clones"
    clones.mkdir()
    said = checkout.run(script, at=clones, CORPUS_MIRROR=str(tmp_path / "corpora"), PYTHONPATH="")
    for task in FILES:
        found = clones / f"gpu0/results/{task}-3-layers-bert-base-cased-gpu"
        assert {"grid.json", "summary.json", "timing.json"} <= {path.name for path in found.iterdir()}
        summary = json.loads((found / "summary.json").read_text())
        assert summary["task"] == task
        assert {len(method["f1"]["seeds"]) for method in summary["methods"].values()} == {2}
        assert len(json.loads((found / "grid.json").read_text())["cells"]) == 3
    # One of the check, and one of each corpus: what one clone has trained, the others take from the cache.
    assert said.count("Running stage 'teacher'") == 1 + len(FILES)
    assert all((clones / f"gpu{gpu}").is_dir() for gpu in range(4))
