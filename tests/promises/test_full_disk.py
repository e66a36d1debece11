"""A disk that fills up at any byte is one line, and leaves the outputs that were there before."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from benchmarks.pages.page_section import BEGIN, END
from benchmarks.pages.written_pages import written_pages
from pipeline.corpora.stored_sentences import IN_MEMORY
from pipeline.storage.sealed_folder import new_folder
from tests.helpers.forked_stages import Stages
from tests.helpers.recorded_runs import write_reports
from tests.helpers.workspace import COMMANDS, METHOD, SPLITS, Workspace

STAGES = (*COMMANDS, "results")
QUICK = {"prepare", "teacher", "dump", "headline"}  # each writes in its own way; the others write as they do
SOME = [pytest.param(stage, marks=[pytest.mark.thorough] * (stage not in QUICK)) for stage in STAGES]

DISK = 3 << 20  # bytes
FILES = 400  # files and folders
PAGE = 4096  # what a file on it grows by


def mounted(*options: str) -> bool:
    """Whether root could do it."""
    return os.geteuid() == 0 and not subprocess.run(["mount", *options], capture_output=True).returncode


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if not mounted("-t", "tmpfs", "-o", f"size={DISK},nr_inodes={FILES}", "tmpfs", str(place)):
        pytest.skip("only root can mount a small file system, and not everywhere")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def content(place: Path) -> dict[str, bytes]:
    """Every file but checkpoints and the filler; folders without files count too."""
    return {
        str(path.relative_to(place)): b"" if path.is_dir() else path.read_bytes()
        for path in place.rglob("*")
        if path.name != "filler" and not {".ckpt", ".git"} & set(path.parts)
    }


def fill(place: Path, room: int) -> None:
    """Leave `room` bytes free."""
    filler = place / "filler"
    filler.unlink(missing_ok=True)
    free = os.statvfs(place)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - room))


def write_finished_run(place: Path) -> None:
    """What `results` reads in its working folder: a repository with reports and the pages."""
    write_reports(place, "mine", [METHOD])
    (place / "docs").mkdir()
    for page in written_pages(place / "results"):
        (place / page).write_text(f"{BEGIN}\n{END}\n")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (
        ["init", "--quiet", "--template="],
        [*who, "commit", "--quiet", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=place, check=True)


def fails_at(stages: Stages, workspace: Workspace, stage: str, disk: Path, rooms: Iterable[int]) -> int:
    """Run a stage beside its outputs with so many free pages, until it fits; how often it did not."""
    arguments = ["--keep", "cpu"] if stage == "results" else workspace.arguments(stage)
    if stage == "results":
        write_finished_run(disk)
        arguments += ["--params", str(workspace.root / "params.yaml")]
    elif any(COMMANDS[stage][1].values()):
        (disk / "out").mkdir()
    first = stages.run(stage, *arguments, place=disk)
    assert first.status == 0, first.err
    before = content(disk)
    failed = 0
    for pages in rooms:
        fill(disk, pages * PAGE)
        shutil.rmtree(disk / ".ckpt", ignore_errors=True)
        ended = stages.run(stage, *arguments, place=disk)
        if ended.status == 0:
            break
        failed += 1
        lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
        assert (ended.status, "Traceback" in ended.err, len(lines)) == (2, False, 1), (pages, ended.err)
        assert "No space left on device" in lines[0]
        assert "free space" in lines[0]
        assert content(disk) == before, pages
        assert not [path for path in disk.rglob(".*") if path.name.endswith((".new", ".old"))]
    (disk / "filler").unlink()
    again = stages.run(stage, *arguments, place=disk)
    assert again.status == 0, again.err
    same = {name: data for name, data in content(disk).items() if not name.endswith((".json", ".md"))}
    assert same == {name: data for name, data in before.items() if name in same}
    return failed


@pytest.mark.parametrize("stage", SOME)
def test_a_stage_on_a_full_disk(stages: Stages, workspace: Workspace, stage: str, disk: Path) -> None:
    assert fails_at(stages, workspace, stage, disk, (0, 2)) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_on_a_disk_with_any_room(
    stages: Stages, workspace: Workspace, stage: str, disk: Path
) -> None:
    assert fails_at(stages, workspace, stage, disk, itertools.count()) >= 1


def refused(stages: Stages, workspace: Workspace, stage: str, disk: Path, why: str) -> None:
    """Run a stage on a disk that takes nothing: one line, and the disk as it was."""
    before = content(disk)
    arguments = ["--keep", "cpu"] if stage == "results" else workspace.arguments(stage)
    if stage == "results":
        arguments += ["--params", str(workspace.root / "params.yaml")]
    ended = stages.run(stage, *arguments, place=disk)
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.status, "Traceback" in ended.err, len(lines)) == (2, False, 1), ended.err
    assert why in lines[0]
    assert content(disk) == before


@pytest.mark.parametrize("stage", SOME)
def test_a_stage_on_a_disk_that_takes_no_file_more(
    stages: Stages, workspace: Workspace, stage: str, disk: Path
) -> None:
    """Its table of files is full, with room for their bytes; then it is mounted read-only."""
    if stage == "results":
        write_finished_run(disk)
    (disk / "many").mkdir()
    for number in range(os.statvfs(disk).f_favail):
        (disk / "many" / str(number)).touch()
    refused(stages, workspace, stage, disk, "No space left on device")
    if mounted("-o", "remount,ro", str(disk)):
        refused(stages, workspace, stage, disk, "Read-only file system")


CHECKPOINTED = ("teacher", "dump", "dump_text", "distill")


@pytest.mark.parametrize("stage", CHECKPOINTED)
def test_a_file_where_checkpoints_should_lie(
    stages: Stages, workspace: Workspace, stage: str, tmp_path: Path
) -> None:
    (tmp_path / ".ckpt").write_text("mine")
    refused(stages, workspace, stage, tmp_path, ".ckpt: cannot be written")
    assert (tmp_path / ".ckpt").read_text() == "mine"


@pytest.mark.parametrize("stage", CHECKPOINTED)
def test_a_folder_of_checkpoints_that_cannot_be_written(
    stages: Stages, workspace: Workspace, stage: str, disk: Path
) -> None:
    place = disk / ".ckpt"
    place.mkdir()
    if not (mounted("--bind", str(place), str(place)) and mounted("-o", "remount,ro,bind", str(place))):
        pytest.skip("no folder can be mounted read-only here")
    refused(stages, workspace, stage, disk, "cannot be written (Read-only file system")
    assert not list(place.iterdir())


@pytest.mark.parametrize("stage", ["prepare", "text"])
def test_no_room_for_temporary_files(
    stages: Stages, workspace: Workspace, stage: str, tmp_path: Path
) -> None:
    """Of a corpus that is larger than what is held in memory."""
    large = "".join(f"word{number} O\n\n" for number in range(IN_MEMORY + 1))
    with new_folder(tmp_path / "corpus") as aside:
        for split in SPLITS:
            (aside / split).mkdir()
            (aside / split / f"{split}.txt").write_text(large)
    arguments = [*workspace.arguments(stage), "--corpus", str(tmp_path / "corpus")]
    ended = stages.run(stage, *arguments, place=tmp_path, file_size=10_000)
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.status, "Traceback" in ended.err, len(lines)) == (2, False, 1), ended.err
    assert "has no room for temporary files" in lines[0]
    assert "set TMPDIR" in lines[0]
    assert not (tmp_path / "out").exists()
