"""Sources of unlabelled text: files, folders, addresses and data sets, plain or packed, with a checksum."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.settings import Corpus, Files, Unlabelled
from pipeline.corpora.unlabelled_sources import unlabelled_sentences
from pipeline.errors import UserError

CORPUS = Corpus(files=Files(train="a", dev="b", test="c"))
CONTENT = b"Old Rome fell .\n"
WORDS = ["Old Rome fell ."]


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[str]]:
    def read(mirror: Path | None = None, **settings: object) -> list[str]:
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        given = Unlabelled.model_validate(settings)
        found = unlabelled_sentences(given, CORPUS, place, mirror=mirror, say=lambda line: None)
        try:
            return [" ".join(words) for words in found]
        finally:
            assert not list(place.iterdir())

    return read


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd, lambda content: zstd(content) + zstd(content)])
def test_plain_and_packed_files(
    read: Callable[..., list[str]], tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "text"
    path.write_bytes(pack(CONTENT))
    assert set(read(files=str(path))) == set(WORDS)


def test_a_folder_stands_for_its_files(
    read: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (folder / "deeper").mkdir(parents=True)
    for name, content in (("b.txt", b"Two .\n"), ("a.gz", gzip.compress(b"One .\n")), (".hidden", b"No .\n")):
        (folder / name).write_bytes(content)
    assert read(files=str(folder)) == ["One .", "Two ."]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(files="~/folder") == ["One .", "Two ."]
    with pytest.raises(UserError, match=r"deeper: is a folder without files"):
        read(files=str(folder / "deeper"))
    with pytest.raises(UserError, match=r"unlabelled.checksums: .*folder is a folder"):
        read(files=str(folder), checksums="md5:" + "0" * 32)


@pytest.mark.parametrize("form", ["text", "dataset"])
def test_folders_in_a_folder_are_told_to_be_left_out(
    read: Callable[..., list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    folder, table = tmp_path / "folder", pa.table({"tokens": [["One", "."]]})
    for name in ("2023", "2024", ".git"):
        (folder / name).mkdir(parents=True)
    for file in (folder / "a.parquet", folder / "2023" / "b.parquet"):
        pq.write_table(table, file) if form == "dataset" else file.write_bytes(b"One .\n")
    assert read(files=str(folder), format=form) == ["One ."]
    assert caplog.messages == [f"{folder}: its folders are not read (2023, 2024); list them under files, too"]
    caplog.clear()
    (folder / "2023" / "deeper").mkdir()
    assert read(files=[str(folder), str(folder / "2023")], format=form) == 2 * ["One ."]
    assert caplog.messages == [
        f"{folder}: its folders are not read (2024); list them under files, too",
        f"{folder}/2023: its folders are not read (deeper); list them under files, too",
    ]


def test_a_folder_of_folders_is_refused(read: Callable[..., list[str]], tmp_path: Path) -> None:
    for name in [*"abcdef", ".git"]:
        (tmp_path / "folder" / name).mkdir(parents=True)
    says = r"folder: holds folders, but no files \(a, b, c, d, e, f\); list these under files"
    with pytest.raises(UserError, match=says):
        read(files=str(tmp_path / "folder"))


def test_data_sets(read: Callable[..., list[str]], tmp_path: Path) -> None:
    """One file, a folder of files, and the clone of a hub repository, of which the training split is read."""
    clone, shards = tmp_path / "clone", tmp_path / "shards"
    (clone / "data").mkdir(parents=True)
    shards.mkdir()
    one, two = pa.table({"body": ["One ."]}), pa.table({"body": ["Two ."]})
    pq.write_table(one, clone / "data/train-00000-of-00001.parquet")
    pq.write_table(two, clone / "data/test-00000-of-00001.parquet")
    pq.write_table(one, shards / "0.parquet")
    pq.write_table(two, shards / "1.parquet")
    given = {"format": "dataset", "word": "body"}
    assert read(files=str(clone), **given) == ["One ."]
    assert read(files=str(shards), **given) == ["One .", "Two ."]
    assert read(files=[str(shards / "1.parquet"), str(clone)], **given) == ["Two .", "One ."]


def test_a_text_that_is_not_the_announced_one_is_refused(
    read: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "text.gz").write_bytes(gzip.compress(CONTENT))
    right = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"  # of the unpacked bytes
    assert read(files=str(tmp_path / "text.gz"), checksums=right) == WORDS
    with pytest.raises(UserError, match=r"text\.gz: .*sha256"):
        read(files=str(tmp_path / "text.gz"), checksums="sha256:" + "0" * 64)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "text: holds no sentence; give text with one sentence a line"),
        (b"\n \n\n", "text: holds no sentence"),
        (b"good line\n" * 2000 + b"bad \xff\n", r"text:2001: byte 20005 of the file \(0xff\) is not utf-8"),
        (b"a\0b\n", "text:1: holds a NUL character"),
        (gzip.compress(b"some words\n" * 99, mtime=0)[:-9], "text:.*damaged"),
        (zstd(b"some words\n" * 99)[:-9], "text: damaged archive"),
        (zstd(zstd(CONTENT)), "text: is packed more than once"),
    ],
)
def test_a_bad_text_is_one_line_with_its_own_name(
    read: Callable[..., list[str]], tmp_path: Path, content: bytes, says: str
) -> None:
    source = tmp_path / "text"
    source.write_bytes(content)
    with pytest.raises(UserError, match=rf"^{tmp_path}/{says}") as caught:
        read(files=str(source))
    assert "\n" not in str(caught.value)


def test_a_missing_text(read: Callable[..., list[str]], tmp_path: Path) -> None:
    says = rf"^{tmp_path}/none\.txt: there is no such file; .* CORPUS_MIRROR=DIR"
    with pytest.raises(UserError, match=says):
        read(files=f"{tmp_path}/none.txt")
    says = "there is no such file; patterns are not expanded; list the files"
    with pytest.raises(UserError, match=rf"^{tmp_path}/\*\.txt: {says}"):
        read(files=f"{tmp_path}/*.txt")


@pytest.mark.parametrize("form", ["text", "dataset"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("~nosuchuser/text.txt", "there is no such home folder; correct the path"),
        ("~\0/text.txt", "there is no such home folder; correct the path"),
        ("x" * 300, r"cannot be read \(File name too long\); correct the path or its permissions"),
    ],
)
def test_a_path_that_cannot_be_looked_at_is_one_line(
    read: Callable[..., list[str]], path: str, says: str, form: str
) -> None:
    with pytest.raises(UserError, match=f"^{path.replace(chr(0), '.')}: {says}"):
        read(files=path, format=form)


def test_an_address_may_be_longer_than_a_file_name(read: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "news.txt").write_bytes(CONTENT)
    assert read(files=f"https://127.0.0.1:9/news.txt?key={'x' * 300}", mirror=tmp_path) == WORDS


@pytest.mark.parametrize(("name", "pack"), [("news.txt.gz", gzip.compress), ("news.txt.zst", zstd)])
def test_the_mirror_is_looked_in_for_an_address(
    read: Callable[..., list[str]], tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(CONTENT))
    assert read(files="https://127.0.0.1:9/news.txt", mirror=tmp_path) == WORDS


def test_a_linked_folder_in_data_own_is_refused(
    read: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir()
    Path("elsewhere/text").write_bytes(CONTENT)
    Path("data/own").mkdir(parents=True)
    Path("data/own/mine").symlink_to(tmp_path / "elsewhere")
    for files in ("data/own/mine", "data/own/mine/text"):
        with pytest.raises(UserError, match=r"data/own/mine: is a link to a folder"):
            read(files=files)


@pytest.mark.parametrize("place", ["", "data"])
def test_of_a_data_set_with_several_splits_training_alone_is_read(
    read: Callable[..., list[str]], tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "set" / place
    folder.mkdir(parents=True)
    for name in ("train", "validation", "test"):
        pq.write_table(pa.table({"tokens": [[name]]}), folder / f"{name}-00000-of-00001.parquet")
    assert read(files=str(tmp_path / "set"), format="dataset") == ["train"]
