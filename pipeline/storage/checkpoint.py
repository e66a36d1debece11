"""What a training run needs to go on after it was killed, as one sealed folder at a time."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.errors import UserError
from pipeline.storage.sealed_folder import check, new_folder

_TENSORS, _FACTS = "state.safetensors", "facts.json"


def checkpoint_key(stage: str, *facts: Any) -> str:
    """A folder name for a stage's checkpoint: other parameters, inputs or code have another one.

    Args:
        stage: starts the name.
        facts: what decides the result; anything JSON can hold.
    """
    digest = sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    return f"{stage}-{digest[:16]}"


class Checkpoint:
    """The last saved state of one run; `hold` gives it to one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    @contextmanager
    def hold(cls, root: Path, key: str) -> Iterator["Checkpoint"]:
        """Lock `root/key` for this process; a block that ends without an exception removes the checkpoint.

        Raises:
            UserError: another process holds it.
        """
        root.mkdir(parents=True, exist_ok=True)
        lock = root / f"{key}.lock"
        with _locked(lock) as held:
            if not held:
                raise UserError(
                    f"{root / key}: another process is training this model; wait for it or stop it"
                )
            checkpoint = cls(root / key)
            yield checkpoint
            checkpoint.remove()
            lock.unlink(missing_ok=True)

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Replace the saved state; a kill at any moment leaves the old one or the new one."""
        with new_folder(self.folder) as folder:
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
                folder / _TENSORS,
            )
            (folder / _FACTS).write_text(json.dumps(facts))

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The saved tensors and facts, or None if nothing was saved.

        Raises:
            UserError: the saved state is damaged.
        """
        if not self.folder.exists():
            return None
        check(self.folder)
        return load_file(self.folder / _TENSORS), json.loads((self.folder / _FACTS).read_text())

    def remove(self) -> None:
        """Forget the saved state; a kill at any moment leaves all of it or nothing that is ever loaded."""
        aside = self.folder.with_name(f".{self.folder.name}.new")  # where a killed `save` left its half, too
        shutil.rmtree(aside, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Make and lock the file `path`, unless another process has locked it: says which."""
    while True:
        with path.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            # Its last holder may have removed it since it was opened: then the lock is on a file that nobody
            # else will find, and a third process could lock a new one.
            if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                yield True
                return


def checkpoint_root() -> Path:
    """Where checkpoints lie: `.ckpt` in the DVC project that runs the stage, or here without DVC."""
    return Path(os.environ.get("DVC_ROOT", ".")) / ".ckpt"
