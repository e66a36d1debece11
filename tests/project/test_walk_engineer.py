"""The engineer's walk as its page has it, with a tiny encoder and few sentences: every command in order."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.checkout import Checkout
from tests.helpers.pages import blocks
from tests.helpers.tiny_corpus import columns, sentences
from tests.helpers.tiny_encoders import POSITIONS

PAGE = "docs/walk-engineer.md"
TRAIN, TEST, HOLD_OUT, TEXT = 40, 10, 8, 200  # sentences; the page has 400, 100, 80 and 50,000


def put_files(root: Path) -> None:
    """Step 1 of the page."""
    folder = root / "data/own/news"
    folder.mkdir()
    labelled = sentences(TRAIN + TEST, seed=1)
    (folder / "train.conll").write_text(columns(labelled[:TRAIN]))
    (folder / "test.conll").write_text(columns(labelled[TRAIN:]))
    text = "".join(" ".join(sentence.words) + "\n" for sentence in sentences(TEXT, seed=5))
    (folder / "text.txt").write_text(text)
    named = re.findall(r"data/own/news/\S+", blocks(PAGE, "text")[0])
    assert sorted(named) == sorted(str(path.relative_to(root)) for path in folder.iterdir())


def describe(root: Path, encoder: Path) -> None:
    """Step 2 of the page, and what makes it tiny."""
    yaml = YAML(typ="safe", pure=True)
    entry, values = (yaml.load(block) for block in blocks(PAGE, "yaml"))
    entry["corpora"]["news"]["hold_out"] = HOLD_OUT
    path = root / "params.yaml"
    tree: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"))
    tree["corpora"] = entry["corpora"] | tree["corpora"]
    tree |= values
    tree["teacher"]["encoder"] = str(encoder)
    tree["prepare"] = {"window": POSITIONS, "overlap": 6}
    tree["student"] |= {"layers": 2}
    tree["time_epochs"] |= {"epochs": 1, "batches": 1}
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)


def commands_in_order() -> list[str]:
    """Every command behind a $ but those that install packages."""
    lines = re.findall(r"^\$ (.*)$", "\n".join(blocks(PAGE, "console")), re.MULTILINE)
    return [line for line in lines if not line.startswith("pip ")]


@pytest.mark.slow
def test_the_engineers_walk(bert: Path, tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "project")
    put_files(checkout.root)
    describe(checkout.root, bert)
    said = {command: checkout.run(command) for command in commands_in_order()}

    checked = [text for command, text in said.items() if "--check" in command]
    assert len(checked) == 2
    assert all("problems: 0" in text for text in checked)
    (trained,) = (text for command, text in said.items() if command.endswith("evaluate_teacher"))
    assert "teacher: epoch 30," in trained
    (distilled,) = (text for command, text in said.items() if "unlabelled" in command)
    assert "Running stage 'teacher'" not in distilled
    (best,) = re.findall(r"^Best student: (\S+) ", distilled, re.MULTILINE)
    assert best in ("data/students/vanilla/1", "data/students/structural/1")
    assert f"--model {best} " in distilled.split("Best student: ")[1]
    tagged = [json.loads(line) for line in (checkout.root / "tagged.jsonl").read_text().splitlines()]
    assert len(tagged) == TEXT
    (answer,) = (text for command, text in said.items() if "tag.py" in command)
    assert [line.split("\t")[0] for line in answer.splitlines() if line] == [
        "Anna",
        "Hope",
        "left",
        "Paris",
        ".",
    ]
    assert checkout.run("git status --short") == ""

    train = checkout.root / "data/own/news/train.conll"
    train.write_text(train.read_text() + columns(sentences(1, seed=9)))
    assert "download@corpus" in checkout.run("dvc status")
