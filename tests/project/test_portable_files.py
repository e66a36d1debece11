"""What is written does not depend on the system: encodings, line ends, separators of paths."""

import ast
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from pipeline.corpora import splits
from pipeline.fetching import sources, web
from tests.helpers.pages import ROOT

FILES = sorted(path for package in ("pipeline", "stages") for path in (ROOT / package).rglob("*.py"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a method or of `open` in a file, by its name."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            yield "open", node


def is_binary(call: ast.Call) -> bool:
    """Whether one of the arguments is a mode such as "rb"."""
    values = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    return any(isinstance(value, str) and "b" in value and len(value) <= 3 for value in values)


def of_a_path_or_the_builtin(call: ast.Call) -> bool:
    """Not `safe_open`, `os.open`, `ScoreStore.open` or an archive's: those know no text."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return not (isinstance(owner, ast.Name) and owner.id in ("os", "archive", "ScoreStore"))


def test_text_is_read_and_written_with_its_encoding_and_unix_line_ends() -> None:
    found = []
    for path in FILES:
        for name, call in calls(path):
            given = {keyword.arg for keyword in call.keywords}
            text = name == "open" and not is_binary(call) and of_a_path_or_the_builtin(call)
            needed = {"write_text": {"encoding", "newline"}, "read_text": {"encoding"}}.get(name, set())
            if not (needed | ({"encoding"} if text else set())) <= given:
                found.append(f"{path}:{call.lineno}")
    assert found == []


def test_a_path_inside_a_folder_is_named_with_slashes() -> None:
    """By `as_posix`, which `str` is not everywhere."""
    found = [
        f"{path}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
        if "relative_to" in [name for argument in node.args for name in names(argument)]
    ]
    assert found == []


def names(node: ast.AST) -> list[str]:
    return [inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (r"C:\data\x\train.conll.gz", "train.conll"),
        ("C:/data/x/train.conll", "train.conll"),
        (r"data\own\train.conll", "train.conll"),
        ("https://example.com/a/train.conll.gz?b=c", "train.conll"),
    ],
)
def test_the_name_of_a_windows_path_holds_no_folder(
    source: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "PurePath", PureWindowsPath)
    assert splits._file_name(source) == name


def test_a_windows_path_is_looked_for_in_the_mirror_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "PurePath", PureWindowsPath)
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/train.conll").write_text("Anna O\n")
    sources.fetch_file(r"C:\data\x\train.conll", tmp_path / "out", mirror=tmp_path / "mirror")
    assert (tmp_path / "out").read_text() == "Anna O\n"


def test_a_windows_path_is_no_address_and_no_hub_id(tmp_path: Path) -> None:
    refused: list[Any] = []
    for fetch in (
        lambda: sources.fetch_encoder(r"C:\data\x", tmp_path / "out"),
        lambda: web.check_address("C:/x", "C:/x"),
    ):
        with pytest.raises(sources.UserError) as caught:
            fetch()
        refused.append(str(caught.value))
    assert "is neither a folder here nor a hub id" in refused[0]
    assert "is not an https address" in refused[1]
