"""What a YAML file may hold; tests/project/test_params_file.py has what params.yaml may not."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.storage.yaml_file import read_yaml


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.yaml"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", None),
        ("text", "text"),
        ("[1, 2.5, true, null]", [1, 2.5, True, None]),
        ("a: &a {b: 1}\nc: {<<: *a, d: yes}\n", {"a": {"b": 1}, "c": {"b": 1, "d": "yes"}}),
    ],
)
def test_plain_values_and_aliases_are_read(path: Path, content: str, value: object) -> None:
    path.write_text(content)
    assert read_yaml(path) == value


def test_as_many_values_are_read_as_the_limit_says(path: Path) -> None:
    path.write_text("a: &a [1, 2]\nb: *a\n")  # the mapping, two keys, and twice a list of two
    assert read_yaml(path, limit=9) == {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(UserError, match=r"file\.yaml: holds more than 8 values"):
        read_yaml(path, limit=8)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a:\n  b: [1, .inf]\n", r"file\.yaml: a\.b\.1: must be a finite number, not inf"),
        ("[2001-01-01]", r"file\.yaml: 0: is a date; put text in quotes"),
        ("{1: x}", r"file\.yaml: the document: the key 1 is not text"),
        ("a: [\n", r"file\.yaml:2: is not YAML"),
    ],
)
def test_what_is_not_plain_is_named_by_its_place(path: Path, content: str, says: str) -> None:
    path.write_text(content)
    with pytest.raises(UserError, match=says):
        read_yaml(path)


def test_a_missing_file_is_a_line(path: Path) -> None:
    with pytest.raises(UserError, match=r"file\.yaml: .*run from the project's root"):
        read_yaml(path)
