"""The real params.yaml, whole and with changes: for the tests of what is read from it."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.params import Params, load_params

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
TREE: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXT)

Load = Callable[[str | bytes | dict[str, Any]], Params]
Refuse = Callable[[str | bytes | dict[str, Any]], str]


def load_from(path: Path, content: str | bytes | dict[str, Any]) -> Params:
    """Write text, bytes or a tree to `path` and load it."""
    if isinstance(content, dict):
        content = as_yaml(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_params(path)


def refusal(path: Path, content: str | bytes | dict[str, Any]) -> str:
    """The one line, without the file's name, that some content is refused with."""
    with pytest.raises(UserError) as caught:
        load_from(path, content)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def as_yaml(tree: dict[str, Any]) -> str:
    """JSON is YAML, but for the names of numbers that are not finite; and it is quick to write."""
    text = json.dumps(tree, ensure_ascii=False)
    return re.sub(
        r'("(?:[^"\\]|\\.)*")|Infinity|NaN', lambda m: m[1] or {"N": ".nan", "I": ".inf"}[m[0][0]], text
    )


def changed(key: str, value: Any) -> dict[str, Any]:
    """The real parameters with another value at a dotted key."""
    tree = copy.deepcopy(TREE)
    *groups, last = key.split(".")
    inner: Any = tree
    for group in groups:
        inner = inner[group]
    inner[last] = value
    return tree


def without(key: str) -> dict[str, Any]:
    """The real parameters without a dotted key."""
    tree = changed(key, None)
    *groups, last = key.split(".")
    inner: Any = tree
    for group in groups:
        inner = inner[group]
    del inner[last]
    return tree


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of whatever is no mapping."""
    if isinstance(value, dict) and value:
        for part, child in value.items():
            yield from leaves(child, f"{key}.{part}".lstrip("."))
    else:
        yield key, value


GROUPS = [key for key, value in TREE.items() if isinstance(value, dict)]
NUMBERS = [key for key, value in leaves(TREE) if type(value) in (int, float)]


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    return tmp_path / "params.yaml"


@pytest.fixture(name="load")
def load_fixture(path: Path) -> Load:
    return partial(load_from, path)


@pytest.fixture(name="refuse")
def refuse_fixture(path: Path) -> Refuse:
    return partial(refusal, path)
