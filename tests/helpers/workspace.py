"""A tiny project: what every stage reads, and params.yaml for runs of a few steps."""

import json
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML

from pipeline.encoding.split_file import load
from pipeline.fingerprint import fingerprints
from pipeline.model.model_folder import save_model
from pipeline.params import load_params
from pipeline.storage.file_names import WEIGHTS
from pipeline.storage.sealed_folder import new_folder
from pipeline.storage.text_file import write_text
from tests.helpers import tiny_inputs
from tests.helpers.sample_results import TIMING, evaluation, write
from tests.helpers.tiny_corpus import sentences
from tests.helpers.tiny_encoders import write_encoder
from tests.helpers.tiny_project import ROOT, command_of, few_steps

TRAINING = {"batch_size": 6, "learning_rate": 1e-3, "head_learning_rate": 1e-2}
WRITTEN = ("--out", "--confusion", "--summary", "--metrics", "--plots", "--page")
METHOD = "kbest"
SPLITS = ("train", "dev", "test")
CORPUS = b"Ba B-PER\nne O\n\nRI B-LOC\n"


def _options(command: str) -> Iterator[tuple[str, str]]:
    """Each option of a command with what it names."""
    words = shlex.split(command)
    yield from ((word, value) for word, value in pairwise(words) if word.startswith("--"))


def _commands() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Of each stage: its options by what they read in the workspace, and by what they write in `out`.

    They are read from dvc.yaml, so that a new option of a stage is here too.
    """
    stages = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    found: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for name, stage in stages.items():
        if name in ("evaluate", "encode_student_text"):  # of two, those that the teacher needs
            continue
        command = command_of(stage)
        read, written = {}, {}
        for option, path in _options(command):
            if option in WRITTEN or (name, option) == ("report", "--text"):
                written[option] = "" if path.startswith("data/") else f"/{path.rpartition('/')[2]}"
            else:
                read[option] = path.partition("/")[2]
        found[command.partition("stages.")[2].split()[0]] = read, written
    publish = {"--model": f"students/{METHOD}/1", "--eval": f"eval/{METHOD}/1"}
    return found | {"publish": (publish, {"--out": ""})}


COMMANDS = _commands()
# What else stands on a stage's command line.
MORE = {
    "fingerprint": ["--root", str(ROOT)],
    "download": ["corpus"],
    "further_teacher": ["--item", "1"],
    "fold_teacher": ["--item", "1"],
    "dump": ["--item", "1-1"],
    "dump_text": ["--item", "1"],
    "distill": ["--item", f"{METHOD}-1"],
}


# Where below its option `out` a stage of a matrix writes.
PLACES = {
    "further_teacher": "1",
    "fold_teacher": "1",
    "dump": "1/1",
    "dump_text": "1",
    "distill": f"{METHOD}/1",
}


@dataclass(frozen=True)
class Workspace:
    """The folders that stages read."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Self:
        """Write the inputs of all stages behind `download`, and `params.yaml`, into `root`."""
        root.mkdir()
        plain = write_encoder(root.with_name(f"{root.name}-encoder"), "bert")
        seal(plain, root / "encoder")
        tiny_inputs.write_corpus(root / "encoded", plain)
        tiny_inputs.write_teacher(root / "teacher", plain, root / "encoded")
        tiny_inputs.dump(root / "scores" / "1" / "1", root / "encoded", root / "teacher", shard_sentences=8)
        shutil.rmtree(root / "scores" / "1" / "checkpoint")
        for name in ("further", "fold"):
            with new_folder(root / "scoring_teachers" / name / "1"):
                pass  # empty, as the stages leave them where there is one teacher and one fold
        for name, digest in fingerprints(ROOT).items():
            write_text(root / "code" / name, digest + "\n")
        text = [" ".join(sentence.words) for sentence in sentences(20, seed=9)]
        (root / "text.txt").write_text("\n".join(text))
        tiny_inputs.write_text(root / "text", text)
        tiny_inputs.write_text_and_scores(root, root / "encoded", root / "teacher", text)
        for name in ("student_encoder", "student_encoded", "student_text_encoded", "imported_scores"):
            with new_folder(root / name):
                pass
        with new_folder(root / "corpus") as aside:
            for split in SPLITS:
                (aside / split).mkdir()
                (aside / split / f"{split}.txt").write_bytes(CORPUS)
        (root / "own").mkdir()
        for split in SPLITS:
            (root / "own" / f"{split}.txt").write_bytes(CORPUS)
        student = root / "students" / METHOD / "1"
        encoded = load(root / "encoded" / "train.parquet")
        workspace = cls(root)
        workspace.set()
        made = tiny_inputs.made_by(load_params(root / "params.yaml"), METHOD)
        save_model(student, tiny_inputs.tagger(plain, encoded, layers=1), plain, tiny_inputs.HISTORY, made)
        kept = tiny_inputs.HISTORY.epochs[tiny_inputs.HISTORY.kept - 1]
        own = {
            "megabytes": (student / WEIGHTS).stat().st_size / 1e6,
            "development_f1": kept.development_f1,
        }
        for name in ("teacher", f"{METHOD}/1"):
            write(root / "eval" / name, replace(evaluation(1), metrics={**evaluation(1).metrics, **own}))
        (root / "timing.json").write_text(json.dumps(TIMING))
        return workspace

    def set(self, **changes: dict[str, Any]) -> None:
        """Write params.yaml for runs of a few steps; `changes` go into its groups."""
        tree = few_steps(**TRAINING)
        tree["dump"] |= {"batch_size": 4, "shard_sentences": 8}
        files = {split: str(self.root / "own" / f"{split}.txt") for split in SPLITS}
        tree |= {"task": "mine", "methods": [METHOD], "method": METHOD, "seeds": [1]}
        tree["corpora"] = {"mine": {"files": files}}
        tree["unlabelled"]["files"] = str(self.root / "text.txt")
        for group, values in changes.items():
            tree[group] |= values
        with (self.root / "params.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(tree, file)

    def arguments(self, stage: str, out: str = "out") -> list[str]:
        """The command line of a stage that reads this workspace and writes `out`."""
        read, written = COMMANDS[stage]
        words = [word for option, name in read.items() for word in (option, str(self.root / name))]
        words += MORE.get(stage, [])
        for option, name in written.items():
            words += [option, f"{out}{name}"]
        return [*words, "--params", str(self.root / "params.yaml")]


def place_of(stage: str, out: Path) -> Path:
    """What a stage writes of its option `out`."""
    return out / PLACES.get(stage, "")


def seal(plain: Path, sealed: Path) -> None:
    """Copy the folder `plain` to the sealed folder `sealed`."""
    with new_folder(sealed) as aside:
        shutil.copytree(plain, aside, dirs_exist_ok=True)
