"""One line for what pydantic says of a tree: the dotted key, what is wrong, the choices, in YAML's words."""

import json
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import Field, ValidationError, model_validator

from pipeline.params_complaint import complaint
from pipeline.settings import Group


class Inner(Group):
    rate: Annotated[float, Field(gt=0)] = 1.0
    kind: Literal["a", "b"] = "a"
    either: int | list[str] | None = None
    least: int = 0
    most: int = 9

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("least: exceeds most; lower it")
        return self


class Whole(Group):
    name: str
    inner: Inner = Inner()
    many: dict[str, Inner] = Field(default={})
    numbers: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.name == "bad":
            raise ValueError("name: must not be bad")
        return self


def said(tree: Any) -> str:
    """The complaint of a tree, read as the parameters are."""
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate_json(json.dumps(tree), strict=True)
    return complaint(caught.value, tree, Whole)


GOOD = {"name": "x"}


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({}, "name: is missing; add it"),
        (GOOD | {"nam": 1}, "nam: unknown key; choose one of name, inner, many, numbers"),
        ({"nam": "x"}, "nam: unknown key; choose one of name, inner, many, numbers"),  # not: name is missing
        (
            GOOD | {"inner": {"rat": 1}},
            "inner.rat: unknown key; choose one of rate, kind, either, least, most",
        ),
        (
            GOOD | {"many": {"one": {"rat": 1}}},
            "many.one.rat: unknown key; choose one of rate, kind, either, least, most",
        ),
        ({"name": 3}, "name: must be a valid string, not 3"),
        ({"name": None}, "name: must be a valid string, not null"),
        (GOOD | {"inner": {"rate": 0}}, "inner.rate: must be greater than 0, not 0"),
        (GOOD | {"inner": {"kind": "c"}}, "inner.kind: must be 'a' or 'b', not \"c\""),
        (GOOD | {"inner": {"either": 1.5}}, "inner.either: must be a valid integer or be a list, not 1.5"),
        (GOOD | {"inner": {"either": ["a", 1]}}, "inner.either.1: must be a valid string, not 1"),
        (GOOD | {"inner": 3}, "inner: must be a mapping, not 3"),
        (GOOD | {"numbers": [1, "2"]}, 'numbers.1: must be a valid integer, not "2"'),
        (GOOD | {"numbers": "é"}, 'numbers: must be a list, not "é"'),
        (GOOD | {"inner": {"least": 5, "most": 4}}, "inner.least: exceeds most; lower it"),
        (GOOD | {"many": {"one": {"least": 99}}}, "many.one.least: exceeds most; lower it"),
        ({"name": "bad"}, "name: must not be bad"),
    ],
)
def test_the_line(tree: Any, line: str) -> None:
    assert said(tree) == line


def test_a_long_value_is_cut() -> None:
    line = said(GOOD | {"numbers": "x" * 1000})
    assert line == 'numbers: must be a list, not "' + "x" * 79


def test_of_several_mistakes_the_unknown_key_comes_first() -> None:
    tree = {"name": 3, "inner": {"rate": -1, "learning_rat": 2}}
    assert said(tree).startswith("inner.learning_rat: unknown key")


def test_json_that_is_nested_too_deeply_for_the_reader() -> None:
    tree: Any = []
    for _ in range(300):
        tree = [tree]
    assert said({"name": tree}).endswith("is nested too deeply; write it flatter")
