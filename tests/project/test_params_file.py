"""A params.yaml that is no tree of parameters, or of any bytes or values, is one line that names it."""

import copy
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.params import load_params
from pipeline.storage.yaml_file import LIMIT
from tests.helpers.params_cases import (
    GROUPS,
    NUMBERS,
    TEXT,
    TREE,
    Load,
    Refuse,
    as_yaml,
    leaves,
)
from tests.helpers.params_cases import (
    load_fixture as load_fixture,
)
from tests.helpers.params_cases import (
    path_fixture as path_fixture,
)
from tests.helpers.params_cases import (
    refuse_fixture as refuse_fixture,
)

FEW, MANY = 60, 20_000
amount = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])


def bomb(line: str, depth: int = 30) -> str:
    """`depth` levels, each of which holds the one above ten times."""
    return "a0: &a0 {k: v}\n" + "".join(
        f"a{level}: &a{level} {line % ', '.join([f'*a{level - 1}'] * 10)}\n" for level in range(1, depth)
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", ": holds no groups of parameters; it must have task, methods, "),
        ("# nothing\n", ": holds no groups of parameters"),
        ("- task\n", ": holds no groups of parameters"),
        ("task\n", ": holds no groups of parameters"),
        (b"task: caf\xe9\n", ": byte 10 is not UTF-8; save the file as UTF-8"),
        (TEXT.encode("utf-16"), ": byte 1 is not UTF-8"),
        ("task: [newsdesk\n", "is not YAML: "),
        ("a: 1\nb: 2\na: 3\n", ':3: is not YAML: found duplicate key "a"'),
        ("a: 1\n\tb: 2\n", ":2: is not YAML: "),
        ("a: 1\n---\nb: 2\n", "is not YAML: "),
        ("a: *b\n", ":1: is not YAML: found undefined alias 'b'"),
        ("a: !!python/object/apply:os.system [id]\n", ":1: is not YAML: could not determine a constructor"),
        ("a: \0\n", "is not YAML: unacceptable character #x0000"),
        ("a: 2001-99-99\n", "is not YAML: month must be in 1..12"),
        ("a: !!int x\n", "is not YAML: invalid literal for int()"),
        ("a: !!bool x\n", "is not YAML: "),
        ("a: " + "1" * 5000, "is not YAML: Exceeds the limit"),
        ("a:\n  - 2001-01-01\n", ": a.0: is a date; put text in quotes, or use a number, list or mapping"),
        ("a: !!set {x}\n", ": a: is a set; "),
        ("a: !!binary eA==\n", ": a: is a bytes; "),
        ("a: {1: 2}\n", ": a: the key 1 is not text; put it in quotes"),
        ("~: 2\n", ": the document: the key None is not text"),
        ("? [a, b]\n: 1\n", "the key ('a', 'b') is not text"),
        ('a: "\\ud800"\n', ": a: contains a lone surrogate"),
        ('"\\ud800": 1\n', "is not text"),
        ("a: {b: .inf}\n", ": a.b: must be a finite number, not inf"),
        ("a: 1.0e999\n", ": a: must be a finite number, not inf"),
        ("a: &a [*a]\n", f": holds more than {LIMIT:,} values; write it without so many aliases"),
        (bomb("[%s]"), ": holds more than"),
        (bomb("{<<: [%s]}"), ": holds more than"),
        ("a: " + "[" * 1100, ": is nested too deeply; write it flatter"),
        ("a: " + "[" * 250 + "]" * 250, ": is nested too deeply; write it flatter"),
    ],
)
def test_a_file_that_is_no_tree_of_parameters_is_one_line(
    refuse: Refuse, content: str | bytes, says: str
) -> None:
    assert says in refuse(content)


def test_odd_characters_in_keys_do_not_reach_the_terminal(refuse: Refuse) -> None:
    assert ": two lines: unknown key" in refuse(TEXT + '\n"two\\nlines\\e[31m": 1\n')


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"none.yaml: cannot be read \(No such file.*run from the project's root"
    ):
        load_params(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        load_params(tmp_path)


def test_what_yaml_has_is_understood(load: Load) -> None:
    shared = re.sub(r"(?m)^  batch_size: \d+", "  batch_size: &size 7", TEXT, count=1)
    shared = re.sub(r"(?m)^  batch_size: \d+$", "  batch_size: *size", shared, count=1)
    params = load(shared)
    assert params.teacher.batch_size == params.student.batch_size == 7
    assert load(b"\xef\xbb\xbf" + TEXT.encode()) == load(TEXT.replace("\n", "\r\n")) == load(TEXT)
    whole = re.sub(r"(?m)^  learning_rate: \S+", "  learning_rate: 1", TEXT, count=1)
    assert load(whole).teacher.learning_rate == 1


def taken_or_refused(path: Path) -> bool:
    """Whether parameters are taken; if not, the refusal must be one printable line behind the file's name."""
    try:
        load_params(path)
    except UserError as error:
        message = str(error)
    else:
        return True
    assert message.isprintable()
    assert re.match(rf"{re.escape(str(path))}(:\d+)?: \S", message)
    assert len(message) < 1000
    return False


@amount
def test_whatever_the_bytes_only_the_projects_error_comes_out(path: Path, count: int) -> None:
    chance = random.Random(7)
    pieces = [
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!",
        b"- ",
        b": ",
        b"'",
        b'"',
        b"{",
        b"[",
        b"\n",
        b"\t",
        b"---\n",
        b"\xff",
    ]
    pieces += [
        b"!!int ",
        b"!!float ",
        b"!!timestamp ",
        b"!!bool ",
        b"!!omap ",
        b".nan",
        b"~",
        b"0o9",
        b"1_0",
        b"|\n",
    ]
    # Cut down so that many mutants are read at all: a mutant of the whole file is mostly its first error.
    seeds = [TEXT.encode(), re.sub(r" *#.*", "", TEXT).encode()]
    taken = 0
    for number in range(count):
        data = bytearray(seeds[number % 2])
        for _ in range(chance.choice((1, 1, 2, 5))):
            start = chance.randrange(len(data))
            end = start + chance.choice((0, 1, 1, 3, 40))
            data[start:end] = chance.choice((*pieces, bytes([chance.randrange(256)])))
        path.write_bytes(data)
        taken += taken_or_refused(path)
    assert 0 < taken < count


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def fuzz_trees(path: Path, count: int) -> None:
    keys = st.sampled_from(
        [key for key, _ in leaves(TREE)] + GROUPS + [f"corpora.{name}" for name in TREE["corpora"]]
    )

    @settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)
    @given(edits=st.lists(st.tuples(keys, VALUES), min_size=1, max_size=2))
    def edit(edits: list[tuple[str, Any]]) -> None:
        tree = copy.deepcopy(TREE)
        for key, value in edits:
            *groups, last = key.split(".")
            inner: Any = tree
            for group in groups:
                inner = inner.get(group) if isinstance(inner, dict) else None
            if isinstance(inner, dict):
                inner[last] = value
        path.write_text(as_yaml(tree), encoding="utf-8")
        if taken_or_refused(path):
            assert all(type(value) is not bool for key, value in edits if key in NUMBERS)

    edit()


@amount
def test_whatever_the_tree_only_the_projects_error_comes_out(path: Path, count: int) -> None:
    fuzz_trees(path, count)
