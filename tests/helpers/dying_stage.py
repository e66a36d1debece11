"""A stage that saves after every step and dies where a test says: `-m tests.helpers.dying_stage STAGE`.

Each of its moments (see `forked_stages.watch`) is a line "PHASE MOMENT" in the file $MOMENTS. With
$DIE_IN="PHASE" and $DIE_AT="N" it is killed just before the moment N (from 0) of that phase, and with it its
process group: DVC.
"""

import importlib
import os
import signal
import sys
from pathlib import Path

from pipeline.training import loop
from stages.command import run
from tests.helpers.forked_stages import watch
from tests.helpers.workspace import place_of


def phase_of(moment: str, before: str, stage: str) -> str:
    """The phase that a moment belongs to; `before` is that of the moment before it, "starting" at first."""
    if moment in ("batch", "step"):
        return "computing"
    opens = moment.startswith("open ")
    if before in ("saving", "tidying up"):
        return "tidying up" if ".ckpt" in moment and not opens else before
    aside = f".{place_of(stage, Path('out')).name}.new"
    if aside in moment and (opens or stage != "dump"):  # `dump` makes its folder before it computes
        return "saving"
    return before if before == "starting" else "checkpoint"


def die_when_told(stage: str) -> None:
    """Write the moments of this process down, and kill it at the one that the environment names."""
    log = os.open(os.environ["MOMENTS"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    phase, left = "starting", int(os.environ.get("DIE_AT", 0))

    def moment(name: str) -> None:
        nonlocal phase, left
        phase = phase_of(name, phase, stage)
        os.write(log, f"{phase} {name}\n".encode())
        if phase == os.environ.get("DIE_IN"):
            left -= 1
            if left < 0:
                os.killpg(os.getpgrp(), signal.SIGKILL)

    watch(os.environ["DVC_ROOT"], moment)


if __name__ == "__main__":
    loop.CHECKPOINT_SECONDS = 0.0
    sys.argv[0] = sys.argv.pop(1)
    main = importlib.import_module(f"stages.{sys.argv[0]}").main
    die_when_told(sys.argv[0])
    run(main)
