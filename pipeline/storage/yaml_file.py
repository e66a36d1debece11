"""A YAML file as plain Python: text, finite numbers, lists and mappings, at most a stated number of them."""

import math
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from pipeline.errors import UserError, is_encodable, one_line, unreadable

LIMIT = 10_000  # values after aliases are expanded, keys included


def read_yaml(path: Path, limit: int = LIMIT) -> Any:
    """The file's only document.

    Raises:
        UserError: the file cannot be read or is no YAML in UTF-8, it stands for more than `limit` values, or
            it holds something that is no text, finite number, boolean, null, list or mapping.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise unreadable(path, error, "run from the project's root") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from None
    yaml = YAML(typ="safe", pure=True)  # of YAML 1.2, as DVC reads it
    try:
        node = yaml.compose(text)
        if node is not None and _expanded(node, {}) > limit:
            raise UserError(f"{path}: holds more than {limit:,} values; write it without so many aliases")
        tree = yaml.constructor.construct_document(node) if node is not None else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: is not YAML: {one_line(error.problem)}; correct it") from None
    except RecursionError:
        raise UserError(f"{path}: is nested too deeply; write it flatter") from None
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        # Beside its own errors, the constructor raises what int(), float() and date() of odd scalars raise.
        raise UserError(f"{path}: is not YAML: {one_line(error)}; correct it") from None
    if problem := _problem(tree, ""):
        raise UserError(f"{path}: {problem}")
    return tree


def _expanded(node: Node, sizes: dict[int, float]) -> float:
    """How many values `node` is when all aliases are written out; infinite if it holds itself."""
    if id(node) not in sizes:
        sizes[id(node)] = math.inf
        children: list[Node] = []
        if isinstance(node, MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, SequenceNode):
            children = node.value
        sizes[id(node)] = 1 + sum(_expanded(child, sizes) for child in children)
    return sizes[id(node)]


def _problem(value: Any, key: str) -> str | None:
    """What is wrong with the first value that is not plain, behind its dotted key."""
    name = one_line(key) or "the document"
    if isinstance(value, dict):
        for child in value:
            if not isinstance(child, str) or not is_encodable(child):
                return f"{name}: the key {one_line(child, 40)} is not text; put it in quotes"
        problems = (_problem(child, f"{key}.{part}".lstrip(".")) for part, child in value.items())
        return next((problem for problem in problems if problem), None)
    if isinstance(value, list):
        problems = (_problem(child, f"{key}.{number}".lstrip(".")) for number, child in enumerate(value))
        return next((problem for problem in problems if problem), None)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name}: must be a finite number, not {value}"
    if isinstance(value, str) and not is_encodable(value):
        return f"{name}: contains a lone surrogate, which is not a character; correct it"
    if value is not None and type(value) not in (str, int, float, bool):
        return f"{name}: is a {type(value).__name__}; put text in quotes, or use a number, list or mapping"
    return None
