"""A tiny project: inputs of every training stage in sealed folders, and params.yaml for runs of a few steps."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML

from pipeline.folder import new_folder
from tests import tiny_inputs
from tests.tiny_encoders import write_encoder

ROOT = Path(__file__).parent.parent
TRAINING = {"epochs": 2, "batch_size": 6, "learning_rate": 1e-3, "head_learning_rate": 1e-2}
METHOD = "kbest"


@dataclass(frozen=True)
class Workspace:
    """The folders that stages read."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Self:
        """Write `encoder`, `encoded`, `teacher`, `scores`, `code` and `params.yaml` into `root`."""
        root.mkdir()
        plain = write_encoder(root.with_name(f"{root.name}-encoder"), "bert")
        seal(plain, root / "encoder")
        tiny_inputs.write_corpus(root / "encoded", plain)
        tiny_inputs.write_teacher(root / "teacher", plain, root / "encoded")
        tiny_inputs.dump(root / "scores", root / "encoded", root / "teacher", shard_sentences=8)
        shutil.rmtree(root / "checkpoint")
        (root / "code").write_text("1")
        workspace = cls(root)
        workspace.set()
        return workspace

    def set(self, **changes: dict[str, Any]) -> None:
        """Write params.yaml for runs of a few steps; `changes` go into its groups."""
        yaml = YAML(typ="safe", pure=True)
        tree: dict[str, Any] = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        tree["teacher"] |= TRAINING
        tree["student"] |= TRAINING | {"layers": 1}
        tree["dump"] |= {"batch_size": 4, "shard_sentences": 8}
        for group, values in changes.items():
            tree[group] |= values
        with (self.root / "params.yaml").open("w", encoding="utf-8") as file:
            yaml.dump(tree, file)

    def arguments(self, stage: str, out: str = "out") -> list[str]:
        """The command line of a stage that reads this workspace and writes `out`."""
        read = {
            "teacher": ("encoded", "encoder", "code"),
            "dump": ("encoded", "teacher", "code"),
            "distill": ("encoded", "encoder", "teacher", "scores", "code"),
        }[stage]
        words = [word for name in read for word in (f"--{name}", str(self.root / name))]
        if stage == "distill":
            words += ["--method", METHOD, "--seed", "1"]
        return [*words, "--params", str(self.root / "params.yaml"), "--out", out]


def seal(plain: Path, sealed: Path) -> None:
    """Copy the folder `plain` to the sealed folder `sealed`."""
    with new_folder(sealed) as aside:
        shutil.copytree(plain, aside, dirs_exist_ok=True)
