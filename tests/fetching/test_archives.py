"""Archives give back their bytes; names that leave their folder, links, bombs, wrong sizes are refused."""

import gzip
import stat
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import UserError
from pipeline.fetching import archives, checks
from pipeline.fetching.archives import chunks, unzip, zip_names


def make_zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def link(name: str, kind: int = stat.S_IFLNK) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


def test_chunks_unpack_gzip_and_nothing_else(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    path = tmp_path / "file"
    for packed in (
        content,
        gzip.compress(content, mtime=0),
        gzip.compress(content[:99]) + gzip.compress(content[99:]),
    ):
        path.write_bytes(packed)
        assert b"".join(chunks(path, "it")) == content


@pytest.mark.parametrize("first", [0x50, 0x5F])
def test_zstd_may_begin_with_a_frame_that_is_skipped(tmp_path: Path, first: int) -> None:
    skipped = bytes([first]) + b"\x2a\x4d\x18" + b"\x04\0\0\0abcd"
    frames = [pa.compress(part, codec="zstd", asbytes=True) for part in (b"one\n", b"two\n")]
    path = tmp_path / "file.zst"
    path.write_bytes(skipped + frames[0] + skipped + frames[1])
    assert b"".join(chunks(path, "it")) == b"one\ntwo\n"


@pytest.mark.parametrize("cut", [3, 12, 30, -9, -1])
def test_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"some text\n" * 99)[:cut])
    with pytest.raises(UserError, match=r"^it: damaged archive"):
        list(chunks(path, "it"))


def test_a_gzip_bomb_stops_early(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(archives.BOMB_BYTES + (8 << 20)), compresslevel=1))
    sizes: list[int] = []
    with pytest.raises(UserError, match=r"^it: .* bytes unpack to over"):
        sizes.extend(len(chunk) for chunk in chunks(path, "it"))
    assert sum(sizes) <= archives.BOMB_BYTES


def test_members_come_out_whole(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("a/", b""), ("a/b.txt", b"B" * 3_000_000), ("c", b""), ("ä ö", b"x"))
    assert zip_names(path, "it") == ["a/b.txt", "c", "ä ö"]
    unzip(path, "it", {"a/b.txt": tmp_path / "b", "c": tmp_path / "c"})
    assert (tmp_path / "b").read_bytes() == b"B" * 3_000_000
    assert (tmp_path / "c").read_bytes() == b""


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "a/../../up",
        "a/..",
        "/etc/passwd",
        "C:/x",
        "c:x",
        "a\\..\\b",
        "a//b",
        "./a",
        "a/./b",
        "a\nb",
        "..",
    ],
)
def test_names_that_leave_their_folder(tmp_path: Path, name: str) -> None:
    path = make_zip(tmp_path / "z", ("good", b""), (name, b""))
    with pytest.raises(UserError, match=r"^it: member .*; not unpacked$"):
        zip_names(path, "it")


def test_a_name_cut_by_a_nul_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("model.X.py", b""))
    path.write_bytes(path.read_bytes().replace(b"model.X.py", b"model.\0.py"))
    with pytest.raises(UserError, match="no plain path"):
        zip_names(path, "it")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices(tmp_path: Path, kind: int) -> None:
    path = make_zip(tmp_path / "z", (link("config.json", kind), b"/etc/passwd"))
    with pytest.raises(UserError, match=r"'config.json' is a link or device"):
        zip_names(path, "it")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/")])
def test_names_that_occur_twice(tmp_path: Path, names: tuple[str, str]) -> None:
    path = make_zip(tmp_path / "z", *((name, b"") for name in names))
    with pytest.raises(UserError, match="occurs twice"):
        zip_names(path, "it")


def test_a_bomb_is_known_by_its_sizes(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("bomb", bytes(archives.BOMB_BYTES + 1)))
    with pytest.raises(UserError, match=r"'bomb' says that .* bytes unpack to"):
        zip_names(path, "it")


def test_a_bomb_in_many_members_is_known_by_their_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BOMB_BYTES", 1 << 20)
    path = make_zip(tmp_path / "z", *((f"part{number}", bytes(1 << 18)) for number in range(9)))
    with pytest.raises(UserError, match=r"^it: [\d,]+ bytes unpack to 2,359,296; not unpacked"):
        zip_names(path, "it")


def test_more_than_the_most_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_zip(tmp_path / "z", ("a", b"word"), ("b", b"word"))
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(b"word" * 2))
    monkeypatch.setattr(checks, "LARGEST", 8)
    assert zip_names(path, "it") == ["a", "b"]
    assert b"".join(chunks(packed, "it")) == b"word" * 2
    monkeypatch.setattr(checks, "LARGEST", 7)
    for unpack in (lambda: zip_names(path, "it"), lambda: list(chunks(packed, "it"))):
        with pytest.raises(UserError, match=r"^it: has more than .* the most that is fetched"):
            unpack()


def test_a_members_name_is_cut_and_without_escapes(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("../\x1b[31m" + "x" * 9999, b""))
    with pytest.raises(UserError) as caught:
        zip_names(path, "it")
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("a", bytes(range(256)) * 99), ("b", b""))
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
        size = archive.getinfo("a").compress_size
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", start + 4)
    data[second + 20 : second + 24] = size.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"^it: its members' sizes exceed"):
        zip_names(path, "it")


def central_size(path: Path, size: int) -> None:
    """Let the archive's directory claim another unpacked size for its first member."""
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    data = bytearray(path.read_bytes())
    data[start + 24 : start + 28] = size.to_bytes(4, "little")
    path.write_bytes(data)


@pytest.mark.parametrize("claimed", [5, 999, 1001, 50_000])
def test_wrong_sizes(tmp_path: Path, claimed: int) -> None:
    path = make_zip(tmp_path / "z", ("a", b"0123456789" * 100))
    central_size(path, claimed)
    with pytest.raises(UserError, match=r"^it: member 'a'"):
        unzip(path, "it", {"a": tmp_path / "out"})


def test_damaged_and_encrypted_members(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("a", b"0123456789" * 100))
    good = path.read_bytes()
    path.write_bytes(good[:40] + b"!" + good[41:])
    with pytest.raises(UserError, match=r"^it: member 'a': damaged archive"):
        unzip(path, "it", {"a": tmp_path / "out"})
    start = good.index(b"PK\x01\x02")
    path.write_bytes(good[:6] + b"\x01" + good[7 : start + 8] + b"\x01" + good[start + 9 :])
    with pytest.raises(UserError, match=r"^it: member 'a': damaged archive .*encrypted"):
        unzip(path, "it", {"a": tmp_path / "out"})


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>not found</html>"])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "z"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"^it: damaged archive"):
        zip_names(path, "it")


def test_an_error_while_writing_is_not_the_archives(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z", ("a", b"x"))
    with pytest.raises(IsADirectoryError):
        unzip(path, "it", {"a": tmp_path})
