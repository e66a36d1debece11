"""`prepare --check` says what the files hold, ends with 1 if anything is wrong, and writes nothing."""

from pathlib import Path

from stages import prepare
from tests.helpers.own_corpus_stages import Run, one_line, there, write_params


def test_good_files_are_reported_with_status_0(run: Run, place: Path) -> None:
    status, out, err = run(prepare.main, "--check", "--encoder", "encoder")
    assert (status, err) == (0, "")
    for split in ("train", "dev", "test"):
        assert f"own/{split}.txt" in out
    assert "3 sentences" in out
    assert not there()


def test_what_is_wrong_is_named_with_status_1(run: Run, place: Path) -> None:
    Path("own/dev.txt").write_bytes(b"Anna B-PER\nslept X\n")
    status, out, _ = run(prepare.main, "--check", "--encoder", "encoder")
    assert status == 1
    assert "own/dev.txt:2: 'X' is not an iob2 tag" in out
    assert not there()


def test_one_file_is_read_as_the_tasks(run: Run, place: Path) -> None:
    Path("more.txt").write_bytes(b"Ida B-PER\n\nMay B-PER\n")
    write_params(files={"train": "own/none.txt"})
    status, out, _ = run(prepare.main, "--check", "more.txt", "--encoder", "encoder")
    assert status == 0
    assert "sentences: 2" in out.splitlines()
    assert "own/" not in out


def test_wrong_parameters_are_one_line(run: Run, place: Path) -> None:
    write_params(scheme="bmewo")
    assert "corpora.mine.scheme" in one_line(run(prepare.main, "--check"))
