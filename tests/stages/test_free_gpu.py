"""Each stage takes a GPU of its own; a list of names stands for the GPUs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UserError
from stages import free_gpu as module
from stages.free_gpu import VISIBLE, free_gpu, visible_gpus

HOLDER = """
import sys, time
from stages.free_gpu import free_gpu
import os
with free_gpu("distill"):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    time.sleep(100)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    return tmp_path


def hold(place: Path) -> "subprocess.Popen[str]":
    """Another process that holds a GPU."""
    env = os.environ | {"TMPDIR": str(place)}
    return subprocess.Popen([sys.executable, "-c", HOLDER], env=env, stdout=subprocess.PIPE, text=True)


def taken(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_each_process_gets_its_own_and_a_killed_one_gives_it_back(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VISIBLE, "GPU-a,GPU-b,GPU-c")
    holders = [hold(place) for _ in range(2)]
    try:
        assert {taken(holder) for holder in holders} == {"GPU-a", "GPU-b"}
        with free_gpu("teacher"):
            assert os.environ[VISIBLE] == "GPU-c"
        assert os.environ[VISIBLE] == "GPU-a,GPU-b,GPU-c"
        for holder in holders:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
        with free_gpu("teacher"):
            assert os.environ[VISIBLE] == "GPU-a"
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


def test_where_none_is_free_it_waits(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VISIBLE, "0,1")
    holders = [hold(place) for _ in range(2)]
    assert {taken(holder) for holder in holders} == {"0", "1"}

    def one_ends(seconds: float) -> None:
        for holder in holders:
            holder.kill()
            holder.communicate()

    monkeypatch.setattr(module.time, "sleep", one_ends)
    with free_gpu("dump"):
        assert os.environ[VISIBLE] == "0"
    assert capsys.readouterr().out == "all 2 GPUs are in use by other stages; waiting for one\n"


@pytest.mark.parametrize(("given", "stage"), [("0", "teacher"), ("", "teacher"), ("0,1", "prepare")])
def test_nothing_is_done_with_one_gpu_or_none_or_by_a_stage_that_computes_nothing(
    given: str, stage: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VISIBLE, given)
    with free_gpu(stage):
        assert os.environ[VISIBLE] == given
        assert not list(place.iterdir())


def test_launched_processes_get_theirs_from_the_launcher(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VISIBLE, "0,1")
    monkeypatch.setenv("LOCAL_RANK", "1")
    with free_gpu("teacher"):
        assert os.environ[VISIBLE] == "0,1"


def test_a_folder_of_locks_that_cannot_be_made_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "0,1")
    locks = place / f"distil-gpus-{os.getuid()}"
    locks.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=f"{locks}: cannot be written"), free_gpu("teacher"):
        pass


def test_without_a_driver_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setenv("PATH", "")
    assert visible_gpus() == []


@pytest.mark.skipif("DISTIL_TEST_GPU" in os.environ, reason="the tests of kernels and waits may use GPUs")
def test_other_tests_run_on_the_cpu_on_every_machine() -> None:
    assert os.environ[VISIBLE] == ""
