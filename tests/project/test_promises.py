"""Every promise of docs/promises.md names tests, which are there and run when it says."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")


def functions_of(path: Path) -> dict[str, str]:
    """The tests of a file, and whether each is marked slow or thorough as a whole."""
    return {
        node.name: "".join(
            mark
            for mark in ("slow", "thorough")
            if any(ast.unparse(decorator) == f"pytest.mark.{mark}" for decorator in node.decorator_list)
        )
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_named_tests_are_there() -> None:
    named = re.findall(r"^- `(tests/[\w/]+\.py)::(\w+)`(?: \((slow|thorough)\))?$", PAGE, re.M)
    assert len(named) == PAGE.count("\n- ") > 20
    for file, test, mark in named:
        tests = functions_of(ROOT / file)
        assert test in tests, (file, test)
        if not file.endswith(
            "test_fuzz_input.py"
        ):  # a few hundred inputs, and many in a slow run of the same
            assert tests[test] == mark, (file, test)


def test_every_promise_names_a_test() -> None:
    promises = PAGE.split("\n\n**")[1:]
    assert len(promises) > 8
    for promise in promises:
        assert "\n- `tests/" in promise, promise
