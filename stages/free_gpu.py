"""One GPU for each stage on a machine with several, so that two jobs of DVC's queue do not share one."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.storage.commit import unwritable
from stages.computing import STAGES

VISIBLE = "CUDA_VISIBLE_DEVICES"
_SECONDS = 1.0  # between two looks for a free one


@contextmanager
def free_gpu(stage: str) -> Iterator[None]:
    """Hold the lock of a GPU that is free, for stages that compute, and let CUDA see no other.

    If none is free, wait for one. With fewer than two GPUs, or where a launcher gives each process its own,
    nothing is done. The system drops a lock when its holder dies.

    Raises:
        UserError: the folder of the locks cannot be written.
    """
    gpus = visible_gpus() if stage in STAGES and "LOCAL_RANK" not in os.environ else []
    if len(gpus) < 2:
        yield
        return
    lock, gpu = _take(gpus)
    before = os.environ.get(VISIBLE)
    os.environ[VISIBLE] = gpu
    try:
        yield
    finally:
        lock.release()
        os.environ.pop(VISIBLE)
        if before is not None:
            os.environ[VISIBLE] = before


def visible_gpus() -> list[str]:
    """The GPUs that CUDA may use, as CUDA_VISIBLE_DEVICES names them; CUDA itself must not be asked yet."""
    if (given := os.environ.get(VISIBLE)) is not None:
        return [name.strip() for name in given.split(",") if name.strip() not in ("", "-1")]
    query = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True, timeout=30).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []


def _take(gpus: list[str]) -> tuple[FileLock, str]:
    place = Path(tempfile.gettempdir(), f"distil-gpus-{os.getuid()}")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise unwritable(place, error) from error
    told = False
    while True:
        for gpu in gpus:
            lock = FileLock(place / f"{gpu.replace('/', '-')}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            except OSError as error:
                raise unwritable(place, error) from error
            return lock, gpu
        if not told:
            print(f"all {len(gpus)} GPUs are in use by other stages; waiting for one", flush=True)
        told = True
        time.sleep(_SECONDS)
