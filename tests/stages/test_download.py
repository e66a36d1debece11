"""`download` fetches what the task needs; what cannot be fetched is one line and leaves no folder."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.storage import sealed_folder
from stages import download
from tests.helpers.forked_stages import Stages
from tests.helpers.own_corpus_stages import GOOD, Run, fetch, one_line, there, write_params


@pytest.mark.parametrize(
    "arguments",
    [["--nope"], ["--out", "x"], ["corpse", "--out", "x"], ["corpus"], ["corpus", "more", "--out", "x"]],
)
def test_wrong_arguments_are_status_2_with_usage(run: Run, place: Path, arguments: list[str]) -> None:
    status, out, err = run(download.main, *arguments)
    assert (status, out) == (2, "")
    assert "Usage: " in err
    assert "Traceback" not in err
    assert not there()


def test_download_takes_the_encoder_of_the_parameters(run: Run, place: Path, bert: Path) -> None:
    write_params(encoder=str(bert))
    assert run(download.main, "encoder", "--code", "code/download", "--out", "fetched")[0] == 0
    assert "model.safetensors" in sealed_folder.check(Path("fetched"))
    write_params(encoder="own")
    assert "own: " in one_line(run(download.main, "encoder", "--code", "code/download", "--out", "other"))
    write_params(encoder="../nowhere")
    assert "nowhere" in one_line(run(download.main, "encoder", "--code", "code/download", "--out", "other"))
    assert there() == {"fetched"}


def test_the_mirror_is_looked_in_first(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://127.0.0.1:9/train.txt"
    write_params(files={"train": address})
    Path("mirror/mine").mkdir(parents=True)
    Path("mirror/mine/train.txt").write_bytes(b"Mirror O\n")
    assert (
        run(download.main, "corpus", "--code", "code/download", "--out", "corpus", "--mirror", "mirror")[0]
        == 0
    )
    monkeypatch.setenv("CORPUS_MIRROR", "mirror")
    assert fetch(run)[0] == 0
    assert Path("corpus/train/train.txt").read_bytes() == b"Mirror O\n"
    monkeypatch.setenv("CORPUS_MIRROR", "")
    message = one_line(run(download.main, "corpus", "--code", "code/download", "--out", "again"))
    assert message.startswith(f"{address}: ")
    assert message.endswith("put train.txt into DIR/<corpus> and set CORPUS_MIRROR=DIR")
    assert there() == {"mirror", "corpus"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"checksums": {"test": "md5:" + "0" * 32}}, "own/test.txt: md5 is "),
        (
            {"files": {"dev": "own/none.txt"}},
            "own/none.txt: there is no such file; check it, or put none.txt into",
        ),
        ({"files": {"dev": "https://127.0.0.1:9/x"}}, "https://127.0.0.1:9/x: "),
        ({"files": {"dev": "http://example.org/x"}}, "http://example.org/x: "),
        ({"scheme": "bmewo"}, "params.yaml: corpora.mine.scheme: must be 'iob1', 'iob2', 'bioes', "),
        ({"word": "x"}, "params.yaml: corpora.mine.word: must be a column's number"),
        ({"files": {"dev": "own/broken.gz"}}, "own/broken.gz: "),
    ],
)
def test_a_corpus_that_cannot_be_fetched_is_one_line(
    run: Run, place: Path, settings: dict[str, Any], says: str
) -> None:
    Path("own/broken.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03 damaged")
    write_params(**settings)
    assert says in one_line(fetch(run))
    assert not there()


def test_a_full_disk_leaves_nothing(place: Path, stages: Stages) -> None:
    """The limit on the size of files stands for the disk: writing ends with an error of the same kind."""
    Path("own/train.txt").write_bytes(GOOD * 2000)
    arguments = ["corpus", "--code", "code/download", "--out", "corpus"]
    ended = stages.run("download", *arguments, place=place, file_size=8192)
    message = one_line((ended.status, ended.out, ended.err))
    assert "File too large" in message
    assert "free space" in message
    assert not there()
