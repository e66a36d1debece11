"""A stage killed under `dvc repro`, with DVC itself, goes on under the next `dvc repro` to the same bits."""

import random
import shutil
import signal
import time
from collections import Counter
from os import killpg
from pathlib import Path

import pytest

from pipeline.storage.sealed_folder import check
from tests.helpers.dvc_project import Project, stage_of
from tests.helpers.workspace import Workspace, place_of

PHASES = ("starting", "computing", "checkpoint", "saving")
KILLS = 5  # in each phase
FIRST = 10  # at most so many moments of a first start are in no later one: it makes folders and lock files
LATE = 4  # kills at any time, of DVC before or behind the stage too
# So many steps that the kills find it at work.
LONGER = {
    "teacher": {"epochs": 12},
    "student": {"epochs": 12},
    "dump": {"batch_size": 1, "shard_sentences": 1},
}
UNIT = {"teacher": "step", "dump": "batch", "distill": "step"}  # what a checkpoint saves from being repeated


class Trial:
    """A project with one stage, which is killed again and again until a repro may end."""

    def __init__(self, project: Project, stage: str) -> None:
        self.project, self.stage = project, stage
        self._log = project.root.with_suffix(".moments")
        project.env["MOMENTS"] = str(self._log)

    @property
    def moments(self) -> list[tuple[str, str]]:
        """Phase and name of what all runs of the stage went through so far."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [(phase, name) for phase, _, name in (line.partition(" ") for line in lines)]

    @property
    def computed(self) -> int:
        """The steps or batches of all runs together."""
        return sum(name == UNIT[self.stage] for _, name in self.moments)

    def kill_in(self, phase: str, at: int) -> None:
        """Run `dvc repro`, which dies with its stage just before moment `at` of the phase."""
        self.project.env |= {"DIE_IN": phase, "DIE_AT": str(at)}
        process = self.project.start("repro", self.stage)
        out, _ = process.communicate()  # ends when the last process that holds its output has ended
        del self.project.env["DIE_IN"]
        assert process.returncode == -signal.SIGKILL, (phase, at, out[-3000:])
        assert self.moments[-1][0] == phase

    def kill_after(self, seconds: float) -> bool:
        """Kill `dvc repro` with all it started so long after its start; False if it had ended by then."""
        process = self.project.start("repro", self.stage)
        time.sleep(seconds)
        late = process.poll() is not None
        if not late:
            killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return not late

    def finish(self) -> dict[str, str]:
        """Run `dvc repro` to its end; the checksums of what it wrote, beside which nothing may be left."""
        root = self.project.root
        self.project.dvc("repro", self.stage)
        assert list((root / ".ckpt").iterdir()) == []
        assert not [path for path in root.glob(".*") if path.name.endswith((".new", ".old"))]
        return check(place_of(self.stage, root / "out"))


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["teacher", "dump", "distill"])
def test_a_killed_repro_goes_on_to_the_same_bits(stage: str, workspace: Workspace, tmp_path: Path) -> None:
    own = Workspace(tmp_path / "inputs")
    shutil.copytree(workspace.root, own.root)
    own.set(**LONGER)
    empty = Project.make(
        tmp_path / "empty", own, {stage: stage_of(stage, module="tests.helpers.dying_stage ")}
    )

    def trial(name: str) -> Trial:
        return Trial(Project(Path(shutil.copytree(empty.root, tmp_path / name))), stage)

    whole = trial("whole")
    began = time.monotonic()
    wanted = whole.finish()
    seconds = time.monotonic() - began
    assert "up to date" in whole.project.dvc("status")

    # One run killed over and over: no kill may cost more than the step or batch that it interrupts.
    chance, again = random.Random(2), trial("again")
    moments = Counter(phase for phase, _ in whole.moments)
    assert moments.keys() >= set(PHASES)
    moments["starting"] -= FIRST
    for phase in PHASES:
        # Those while it computes or saves its state share the way to the end.
        last = moments[phase] / (2 * KILLS + 1 if phase in ("computing", "checkpoint") else 1)
        for _ in range(KILLS):
            again.kill_in(phase, chance.randrange(int(last)))
    assert again.finish() == wanted
    assert whole.computed < again.computed <= whole.computed + 2 * KILLS

    any_time = trial("any time")
    hits = [any_time.kill_after(chance.uniform(0, seconds)) for _ in range(LATE)]
    assert any(hits)
    assert any_time.finish() == wanted
