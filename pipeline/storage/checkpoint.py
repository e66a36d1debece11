"""The state of a run that was stopped, from which the same run resumes: one sealed folder."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline import processes
from pipeline.storage.commit import locked, restore, unwritable, working_name
from pipeline.storage.sealed_folder import check, identity, new_folder, sha256

CHECKPOINTS = ".ckpt"  # the folder of all checkpoints in a DVC project
_TENSORS, _FACTS = "state.safetensors", "facts.json"

JSON = Mapping[str, Any] | Sequence[Any] | str | int | float | None


def run_key(stage: str, *facts: Path | JSON) -> str:
    """The name of a run's checkpoint; with other parameters, inputs or code it is another one.

    Args:
        stage: starts the name.
        facts: all that decides the result: a sealed folder or a file stands for its content, anything else
            for itself.

    Raises:
        UserError: a folder is missing, or its seal is missing or damaged.
    """
    known = [_content(fact) if isinstance(fact, Path) else fact for fact in facts]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return f"{stage}-{digest[:16]}"


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each in memory of its own, as safetensors asks; modules may share a table."""
    apart: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        held = tensor.detach().cpu().contiguous()
        apart[name] = held.clone() if held.data_ptr() in taken else held
        taken.add(held.data_ptr())
    return apart


def _content(path: Path) -> str:
    return identity(path) if path.is_dir() else sha256(path)


class Checkpoint:
    """The last saved state of one run; `hold` gives it to one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    @contextmanager
    def hold(cls, root: Path, key: str) -> Iterator["Checkpoint"]:
        """Lock `root/key` for this process; a block that ends without an exception removes the checkpoint.

        Of the processes of one run, the first has the lock for all; `root` must be a folder that all see.

        Raises:
            UserError: another process holds it, or `root` cannot be written.
        """
        if not processes.is_first():
            yield cls(root / key)
            return
        try:
            root.mkdir(parents=True, exist_ok=True)  # it stays, as other runs lie there too
        except OSError as error:
            raise unwritable(root, error) from error
        with locked(root / key, "another process is at work on the same run"):
            checkpoint = cls(root / key)
            restore(checkpoint.folder)
            yield checkpoint
            checkpoint.remove()

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Replace the saved state; a kill at any moment leaves the old one or the new one."""
        with new_folder(self.folder) as folder:
            save_file(_apart(tensors), folder / _TENSORS)
            (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8", newline="\n")

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The saved tensors and facts, or None if nothing was saved.

        Raises:
            UserError: the saved state is damaged.
        """
        if not self.folder.exists():
            return None
        check(self.folder)
        return load_file(self.folder / _TENSORS), json.loads(
            (self.folder / _FACTS).read_text(encoding="utf-8")
        )

    def remove(self) -> None:
        """Remove the saved state; a kill at any moment leaves all of it, or nothing that is ever loaded."""
        aside = working_name(self.folder)  # a killed `save` leaves its half there
        shutil.rmtree(aside, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
