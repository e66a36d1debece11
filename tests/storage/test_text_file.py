"""A text file is whole or as it was, and on the disk before it takes its place."""

import os
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage import commit
from pipeline.storage.text_file import write_json, write_text


def test_the_file_is_utf8_with_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "page.md", "ä\nb\n")
    assert (tmp_path / "deep" / "page.md").read_bytes() == b"\xc3\xa4\nb\n"
    write_json(tmp_path / "deep" / "page.md", {"ä": 1})
    assert (tmp_path / "deep" / "page.md").read_text(encoding="utf-8") == '{\n  "ä": 1\n}\n'
    assert os.listdir(tmp_path / "deep") == ["page.md"]  # noqa: PTH208


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_behind_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.md"
    write_text(path, "old")
    synced: list[tuple[str, str]] = []
    monkeypatch.setattr(commit, "_sync", lambda entry: synced.append((entry.name, path.read_text())))
    write_text(path, "new")
    assert synced == [(".page.md.new", "old"), (tmp_path.name, "new")]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.md"
    write_text(path, "old")

    def full(entry: Path) -> None:
        raise OSError(28, "No space left on device", str(entry))

    monkeypatch.setattr(commit, "_sync", full)
    with pytest.raises(UserError, match=r"page\.md: cannot be written \(No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["page.md"]  # noqa: PTH208


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "out" / "inside").mkdir(parents=True)
    with pytest.raises(UserError, match="out: cannot be written"):
        write_text(tmp_path / "out", "x")
    assert (tmp_path / "out" / "inside").is_dir()


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    """DVC may link an output to its cache."""
    (tmp_path / "cached").write_text("old")
    (tmp_path / "page.md").symlink_to("cached")
    write_text(tmp_path / "page.md", "new")
    assert (tmp_path / "cached").read_text() == "old"
    assert not (tmp_path / "page.md").is_symlink()
