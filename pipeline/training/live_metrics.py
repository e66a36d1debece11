"""Live metrics of a run, for DVCLive (with it `dvc plots`, VS Code and Studio) and TensorBoard.

They only show: a figure that cannot be written stops no training, and none decides what a stage makes.
"""

import logging
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from pipeline import processes
from pipeline.errors import UserError, first_line

log = logging.getLogger(__name__)

LIVE = "live"  # the folder in a project, which git ignores
SHORTEST_RUN_SECONDS = 180.0  # a shorter run writes nothing, as DVCLive takes up to two seconds to start
WRITER = "live-metrics"  # the name of the thread that writes
SECONDS_BETWEEN_FIGURES = 5.0  # at least, within an epoch: each makes the device wait once


class LiveMetrics(Protocol):
    """Where a run's figures go."""

    @property
    def due(self) -> bool:
        """Whether the last figures are SECONDS_BETWEEN_FIGURES old."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures by name for a step, counted from 1."""


class NoMetrics:
    """Figures go nowhere."""

    due = False

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Nothing."""


class WrittenMetrics:
    """Figures go into a folder, from a thread, so that training waits for no import and no disk."""

    def __init__(self, folder: Path, *, resumed: bool, tensorboard: bool) -> None:
        """Nothing is written before the run has lasted SHORTEST_RUN_SECONDS."""
        self._folder, self._resumed, self._tensorboard = folder, resumed, tensorboard
        self._worker = ThreadPoolExecutor(1, WRITER)
        self._writers: list[Any] | None = None
        self._began = self._logged = time.monotonic()
        self._waiting: list[tuple[int, dict[str, float]]] = []
        self._failed = False

    @property
    def due(self) -> bool:
        """Whether the last figures are SECONDS_BETWEEN_FIGURES old."""
        return time.monotonic() - self._logged >= SECONDS_BETWEEN_FIGURES

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Have the metrics of a step written; returns at once."""
        self._logged = time.monotonic()
        self._waiting.append((step, dict(figures)))
        if self._logged - self._began >= SHORTEST_RUN_SECONDS:
            for one in self._waiting:
                self._worker.submit(self._write, *one)
            self._waiting = []

    def close(self) -> None:
        """Wait until all is written."""
        self._worker.submit(self._end)
        self._worker.shutdown()

    def _write(self, step: int, figures: Mapping[str, float]) -> None:
        if self._failed:
            return
        try:
            if self._writers is None:
                self._writers = self._open()
            live, *boards = self._writers
            live.step = step
            for name, value in figures.items():
                live.log_metric(name, value)
                for board in boards:
                    board.add_scalar(name, value, step)
            live.make_summary()
        except Exception as error:  # whatever another library makes of a full disk or an empty repository
            self._failed = True
            log.warning("%s: live metrics stop here (%s); training goes on", self._folder, first_line(error))

    def _open(self) -> list[Any]:
        from dvclive import Live

        live = Live(
            str(self._folder), resume=self._resumed, save_dvc_exp=False, dvcyaml=None, monitor_system=False
        )
        if not self._tensorboard:
            return [live]
        from torch.utils.tensorboard import SummaryWriter

        return [live, SummaryWriter(str(self._folder / "tensorboard"))]

    def _end(self) -> None:
        live, *boards = self._writers or [None]
        try:
            if live is not None:
                live.end()
            for board in boards:
                board.close()
        except Exception as error:
            log.warning("%s: live metrics are not complete (%s)", self._folder, first_line(error))


@contextmanager
def live_metrics(folder: Path, *, resumed: bool, tensorboard: bool = False) -> Iterator[LiveMetrics]:
    """Write the figures of a run into `folder` until the block ends; of several processes, the first does.

    Args:
        folder: of this run; what an earlier one left there is removed.
        resumed: the run goes on from a checkpoint, and its own figures stay; those of the steps behind the
            checkpoint come twice.
        tensorboard: whether to write for TensorBoard too.

    Raises:
        UserError: TensorBoard is wanted and not installed.
    """
    if not processes.is_first():
        yield NoMetrics()
        return
    if tensorboard and find_spec("tensorboard") is None:
        raise UserError(
            "live.tensorboard: TensorBoard is not installed; `pip install tensorboard`, or set it to false"
        )
    if not resumed:
        shutil.rmtree(folder, ignore_errors=True)
    written = WrittenMetrics(folder, resumed=resumed, tensorboard=tensorboard)
    try:
        yield written
    finally:
        written.close()
