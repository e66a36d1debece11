"""A stage killed anywhere and run again gives what an unstopped one gives, to the bit."""

import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.folder import check
from tests.forked_stages import Ended, Stages
from tests.workspace import Workspace

STAGES = ("teacher", "dump", "distill")
REFUSED = "another process is training this model"


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    server = Stages(tmp_path_factory.mktemp("logs"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.make(tmp_path_factory.mktemp("workspace") / "inputs")


def found(place: Path) -> dict[str, dict[str, str]]:
    """The checksums of what a stage wrote, and whatever else it left: nothing."""
    names = {path.name for path in place.iterdir()} | {path.name for path in (place / ".ckpt").iterdir()}
    assert names == {"out", ".ckpt"}
    return {"out": check(place / "out")}


class Trial:
    """Runs one stage again and again, each time in an empty folder."""

    def __init__(self, stages: Stages, workspace: Workspace, stage: str, root: Path) -> None:
        """Run it once without a stop, for comparison."""
        self._stages, self._stage, self._root = stages, stage, root
        self._arguments = workspace.arguments(stage)
        self._places = 0
        place = self.place()
        self.whole = self.run(place)
        assert (self.whole.status, "Traceback" in self.whole.err) == (0, False), self.whole.err
        self.wanted = found(place)

    def place(self) -> Path:
        self._places += 1
        place = self._root / str(self._places)
        place.mkdir()
        return place

    def run(self, place: Path, **stop: float) -> Ended:
        return self._stages.run(self._stage, *self._arguments, place=place, **stop)  # type: ignore[arg-type]

    def killed(self, label: object, **stop: float) -> int:
        """Kill a run, run it again, and return the status of the killed one."""
        place = self.place()
        first = self.run(place, **stop)
        again = self.run(place)
        assert again.status == 0, (label, again.err)
        assert found(place) == self.wanted, label
        shutil.rmtree(place)
        return first.status

    def phases(self) -> dict[str, list[int]]:
        """The moments of the unstopped run while it starts, computes, writes checkpoints, saves and tidies up."""
        moments = self.whole.moments
        computes = [n for n, name in enumerate(moments) if name in ("batch", "step")]
        saves = [n for n, name in enumerate(moments) if ".out.new" in name]
        tidies = next(n for n in range(saves[-1], len(moments)) if ".ckpt" in moments[n])
        between = range(computes[0], saves[0] if self._stage != "dump" else len(moments))
        checkpoint = [n for n in between if n not in computes and n not in saves]
        return {
            "starting": list(range(computes[0])),
            "computing": computes,
            "checkpoint": checkpoint,
            "saving": list(range(max(saves[0], computes[-1] + 1), tidies)),
            "tidying up": list(range(tidies, len(moments))),
        }

    def kill_in_every_phase(self, points: int) -> int:
        """Kill at so many moments of each phase, or at all if there are fewer; how many they were."""
        chance = random.Random(0)
        count = 0
        for phase, moments in self.phases().items():
            for at in chance.sample(moments, min(points, len(moments))):
                assert self.killed((phase, at, self.whole.moments[at]), at=at) == -signal.SIGKILL
                count += 1
        return count


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_goes_on_to_the_same_bits(
    stages: Stages, workspace: Workspace, stage: str, tmp_path: Path
) -> None:
    assert Trial(stages, workspace, stage, tmp_path).kill_in_every_phase(1) == 5


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_at_many_points_goes_on_to_the_same_bits(
    stages: Stages, workspace: Workspace, stage: str, tmp_path: Path
) -> None:
    assert Trial(stages, workspace, stage, tmp_path).kill_in_every_phase(10) >= 35


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_after_any_time_goes_on_to_the_same_bits(
    stages: Stages, workspace: Workspace, stage: str, tmp_path: Path
) -> None:
    """Between two moments too, in the middle of torch or of a write."""
    trial = Trial(stages, workspace, stage, tmp_path)
    chance = random.Random(1)
    delays = [chance.uniform(0, trial.whole.seconds) for _ in range(20)]
    ended = [trial.killed(delay, after=delay) for delay in delays]
    assert set(ended) <= {0, -signal.SIGKILL}
    assert ended.count(-signal.SIGKILL) >= 10
