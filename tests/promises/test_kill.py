"""A stage killed anywhere and run again gives what an unstopped one gives, to the bit."""

import random
import shutil
import signal
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from pipeline.encoding.encoded_text import encode_text
from pipeline.storage.sealed_folder import check
from tests.helpers.forked_stages import Ended, Stages
from tests.helpers.tiny_inputs import dump, write_corpus, write_text
from tests.helpers.workspace import COMMANDS, METHOD, Workspace, place_of

STAGES = ("teacher", "dump", "dump_text", "distill")
DUMPS = ("dump", "dump_text")  # their checkpoints are finished shards
PHASES = ("starting", "computing", "checkpoint", "saving", "tidying up")
GROUPS = {"teacher": "teacher", "distill": "student"}  # of params.yaml


def found(place: Path, stage: str) -> dict[str, dict[str, str]]:
    """The checksums of what a stage wrote, and whatever else it left: nothing."""
    names = {path.name for path in place.iterdir()} | {path.name for path in (place / ".ckpt").iterdir()}
    assert names == {"out", ".ckpt"}
    return {"out": check(place_of(stage, place / "out"))}


class Trial:
    """Runs one stage again and again, each time in an empty folder."""

    def __init__(
        self, stages: Stages, workspace: Workspace, stage: str, root: Path, digest: str | None = None
    ) -> None:
        """Run it once without a stop, for comparison; `digest` is that of edited code."""
        root.mkdir(exist_ok=True)
        self._stages, self._stage, self._root = stages, stage, root
        self._arguments = workspace.arguments(stage)
        self._digest = digest
        self._places = 0
        place = self.place()
        self.whole = self.run(place)
        assert (self.whole.status, "Traceback" in self.whole.err) == (0, False), self.whole.err
        self.wanted = found(place, stage)

    def place(self) -> Path:
        self._places += 1
        place = self._root / str(self._places)
        place.mkdir()
        return place

    def run(self, place: Path, **stop: float) -> Ended:
        return self._stages.run(
            self._stage,
            *self._arguments,
            place=place,
            digest=self._digest,
            **stop,  # type: ignore[arg-type]
        )

    def killed(self, label: object, **stop: float) -> int:
        """Kill a run, run it again, and return the status of the killed one."""
        place = self.place()
        first = self.run(place, **stop)
        again = self.run(place)
        assert again.status == 0, (label, again.err)
        assert found(place, self._stage) == self.wanted, label
        shutil.rmtree(place)
        return first.status

    def phases(self) -> dict[str, list[int]]:
        """The moments of the unstopped run while it starts, computes, saves and so on."""
        moments = self.whole.moments
        computes = [n for n, name in enumerate(moments) if name in ("batch", "step")]
        aside = f".{place_of(self._stage, Path('out')).name}.new"
        saves = [n for n, name in enumerate(moments) if aside in name]
        tidies = next(n for n in range(saves[-1], len(moments)) if ".ckpt" in moments[n])
        between = range(computes[0], saves[0] if self._stage not in DUMPS else len(moments))
        checkpoint = [n for n in between if n not in computes and n not in saves]
        return {
            "starting": list(range(computes[0])),
            "computing": computes,
            "checkpoint": checkpoint,
            "saving": list(range(max(saves[0], computes[-1] + 1), tidies)),
            "tidying up": list(range(tidies, len(moments))),
        }

    def kill_in_phases(self, points: int, phases: Sequence[str] = PHASES) -> int:
        """Kill at so many moments of each phase, or at all if there are fewer; how many they were."""
        chance = random.Random(0)
        count = 0
        for phase, moments in ((phase, self.phases()[phase]) for phase in phases):
            for at in chance.sample(moments, min(points, len(moments))):
                assert self.killed((phase, at, self.whole.moments[at]), at=at) == -signal.SIGKILL
                count += 1
        return count


@pytest.fixture(scope="module")
def trial_of(
    stages: Stages, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Trial]:
    """The trial of a stage, whose unstopped run all tests share."""

    @cache
    def trial(stage: str) -> Trial:
        return Trial(stages, workspace, stage, tmp_path_factory.mktemp(stage))

    return trial


@pytest.mark.parametrize(
    ("stage", "phases"),
    [  # `dump_text` goes on as `dump` does, and `teacher` as `distill`
        ("dump", PHASES),
        ("distill", PHASES),
        pytest.param("dump_text", PHASES, marks=pytest.mark.thorough),
        pytest.param("teacher", PHASES, marks=pytest.mark.thorough),
    ],
)
def test_a_killed_stage_goes_on_to_the_same_bits(
    trial_of: Callable[[str], Trial], stage: str, phases: Sequence[str]
) -> None:
    assert trial_of(stage).kill_in_phases(1, phases) == len(phases)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_at_many_points_goes_on_to_the_same_bits(
    trial_of: Callable[[str], Trial], stage: str
) -> None:
    assert trial_of(stage).kill_in_phases(10) >= 35


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_after_any_time_goes_on_to_the_same_bits(
    trial_of: Callable[[str], Trial], stage: str
) -> None:
    """Between two moments too, in the middle of torch or of a write."""
    trial = trial_of(stage)
    chance = random.Random(1)
    delays = [chance.uniform(0, trial.whole.seconds) for _ in range(20)]
    ended = [trial.killed(delay, after=delay) for delay in delays]
    assert set(ended) <= {0, -signal.SIGKILL}
    assert ended.count(-signal.SIGKILL) >= 10


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("dump", signal.SIGTERM),
        ("distill", signal.SIGINT),
        pytest.param("dump_text", signal.SIGINT, marks=pytest.mark.thorough),
        pytest.param("teacher", signal.SIGTERM, marks=pytest.mark.thorough),
    ],
)
def test_a_signal_is_one_line_and_the_work_so_far_is_kept(
    trial_of: Callable[[str], Trial], stage: str, number: int
) -> None:
    """Though no checkpoint is due for an hour."""
    trial = trial_of(stage)
    place = trial.place()
    at = trial.whole.moments.index("batch") if stage in DUMPS else _third_step(trial)
    stopped = trial.run(place, at=at, number=number, checkpoint_seconds=3600)
    assert stopped.status == 128 + number
    assert stopped.err.splitlines()[-1] == "stopped; run the same command to resume"
    assert "Traceback" not in stopped.err
    assert not place_of(stage, place / "out").exists()
    again = trial.run(place)
    assert again.status == 0
    if stage not in DUMPS:
        assert again.moments.count("step") == trial.whole.moments.count("step") - 3
    assert found(place, stage) == trial.wanted


def _third_step(trial: Trial) -> int:
    """Where it stands without checkpoints in between."""
    moments = trial.run(trial.place(), checkpoint_seconds=3600).moments
    return [n for n, name in enumerate(moments) if name == "step"][2]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["params", "data", "code"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_checkpoint_of_other_parameters_data_or_code_is_never_used(
    stages: Stages, workspace: Workspace, stage: str, change: str, tmp_path: Path
) -> None:
    """A run after the change does every step, and gives what it gives in an empty folder."""
    trial = Trial(stages, workspace, stage, tmp_path)
    own = Workspace(tmp_path / "changed")
    shutil.copytree(workspace.root, own.root)
    if change == "code":
        code = own.root / COMMANDS[stage][0]["--code"]
        (code / METHOD if stage == "distill" else code).write_text("2")
    elif change == "data" and stage == "dump_text":
        shutil.rmtree(own.root / "text_encoded")
        other = write_text(tmp_path / "text", ["ba neRI ."] * 20)
        encoder, encoded = own.root / "encoder", own.root / "encoded"
        encode_text(other, own.root / "text_encoded", encoder=encoder, encoded=encoded)
    elif change == "data":
        write_corpus(own.root / "encoded", own.root / "encoder", seed=1)
        if stage == "distill":
            shutil.rmtree(own.root / "scores")
            dump(own.root / "scores" / "1" / "1", own.root / "encoded", own.root / "teacher")
            shutil.rmtree(own.root / "scores" / "1" / "checkpoint")
    else:
        group, value = ("dump", {"dtype": "float16"}) if stage in DUMPS else (GROUPS[stage], {"dropout": 0.2})
        own.set(**{group: value})
    fresh = Trial(stages, own, stage, tmp_path / "fresh", digest="2" if change == "code" else None)

    place = trial.place()
    last = max(n for n, name in enumerate(trial.whole.moments) if name in ("batch", "step"))
    assert trial.run(place, at=last).status == -signal.SIGKILL
    assert len(list((place / ".ckpt").glob("*.lock"))) == 1
    after = fresh.run(place)
    assert after.status == 0, after.err
    computed = [name for name in after.moments if name in ("batch", "step")]
    assert computed == [name for name in fresh.whole.moments if name in ("batch", "step")]
    assert check(place_of(stage, place / "out")) == fresh.wanted["out"]
    if change != "code":
        assert fresh.wanted != trial.wanted
