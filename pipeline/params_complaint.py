"""What is wrong with params.yaml, in one line: pydantic's first error in the words of YAML."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def complaint(error: ValidationError, tree: dict[str, Any], model: type[BaseModel]) -> str:
    """The first complaint: the dotted key, what is wrong with it, the choices.

    An unknown key comes before a missing one, as it often is the other misspelt. Where one value or a list
    may stand, it is about the wrong entry of a list, and not about the list.

    Args:
        error: of the validation of `tree` by `model`.
        tree: the file's content.
        model: whose fields are the groups.
    """
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    places = [list(_location(e, tree)) for e in errors]
    location = max((place for place in places if place[: len(places[0])] == places[0]), key=len)
    first = errors[places.index(location)]
    key = ".".join(str(part) for part in location)
    kind = first["type"]
    if kind == "value_error":  # of a model_validator here; begins with the rest of the key
        return f"{key}.{first['ctx']['error']}".lstrip(".")
    if kind == "extra_forbidden":
        return f"{key}: unknown key; choose one of {', '.join(_known_keys(model, location[:-1]))}"
    if kind == "missing":
        return f"{key}: is missing; add it"
    if kind == "json_invalid":
        return "is nested too deeply; write it flatter"
    wishes = dict.fromkeys(
        _wish(e["msg"]) for e, found in zip(errors, places, strict=True) if found == location
    )
    return f"{key}: must {' or '.join(wishes)}, not {json.dumps(first['input'], ensure_ascii=False)[:80]}"


def _wish(message: str) -> str:
    """What the value must do, in the words of YAML instead of pydantic's."""
    wish = message.partition(" should ")[2].partition(" after validation")[0]
    return wish.replace("a valid array", "a list").replace("an object", "a mapping")


def _location(error: ErrorDetails, tree: Any) -> Iterator[int | str]:
    """The keys to what `error` is about, without what pydantic adds (which of several types it tried)."""
    for part in error["loc"]:
        inside = isinstance(tree, dict) and part in tree
        if isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            inside = True
        if inside:
            tree = tree[part]
        if inside or (error["type"] == "missing" and part == error["loc"][-1]):
            yield part


def _known_keys(model: type[BaseModel], location: list[int | str]) -> list[str]:
    """The keys that the group at `location` takes."""
    group: Any = model
    for part in location:
        if isinstance(group, type) and issubclass(group, BaseModel):
            group = group.model_fields[str(part)].annotation
        else:  # dict[str, Corpus]: whatever the key, the type is the second argument
            group = get_args(group)[1]
    return list(group.model_fields)
