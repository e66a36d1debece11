"""What the config.json of a model folder may say; checked before `transformers` reads it."""

import json
import re
from pathlib import Path
from typing import Any

from pipeline.errors import UserError, one_line, unreadable
from pipeline.storage.file_names import CONFIG

TAGGER = "chain-tagger"
"""The `model_type` of this project's taggers with a CRF, whose encoder stands under `encoder`."""
_LARGEST_FILE = 4_000_000  # bytes
_DEEPEST = 8
_LARGEST = 10**8  # of any number
# The first pattern that a key matches bounds its number. `transformers` builds as many modules as these say.
_BOUNDS = (
    (re.compile(r"layers?$|blocks$|depth$|inner_group_num$"), 200),
    (re.compile(r"heads?$|groups?$|experts$"), 1024),
    (re.compile(r"vocab|position|seq|window|length|token"), _LARGEST),
    (re.compile(r"size$|dim$|dimension$|^d_|^n_embd$|^n_inner$"), 1 << 18),
)
# They choose how a model is run or where its files lie, and that is this project's choice.
_DROPPED = {
    *("attn_implementation", "_attn_implementation", "_attn_implementation_internal"),
    *("experts_implementation", "_experts_implementation", "_experts_implementation_internal"),
    *("auto_map", "custom_pipelines", "transformers_weights", "_name_or_path", "name_or_path"),
    *("dtype", "torch_dtype", "torchscript", "return_dict", "use_return_dict"),
    *("output_attentions", "output_hidden_states", "_commit_hash"),
}


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a model folder.

    Raises:
        UserError: the file is missing, too large, or holds something else.
    """
    try:
        if (size := path.stat().st_size) > _LARGEST_FILE:
            raise UserError(f"{path}: has {size:,} bytes, more than {_LARGEST_FILE:,}; fetch the right file")
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(path, error, "fetch the folder whole") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not JSON ({one_line(error)}); fetch it again") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: holds no JSON object; fetch it again")
    return value


def read_checked(folder: Path) -> dict[str, Any]:
    """The values in a folder's config.json, without those that choose code, kernels or files.

    Raises:
        UserError: the file is damaged, or a value is out of bounds or needs what this project does not run.
    """
    path = folder / CONFIG
    if (folder / "adapter_config.json").exists():
        raise UserError(f"{folder}: holds an adapter, which is not supported; merge it into its model")
    values = read_json(path)
    if "quantization_config" in values:
        raise UserError(f"{path}: its weights are quantised, which is not supported; save them in float32")
    checked: dict[str, Any] = _checked(values, str(path), "", 0)
    return checked


def _checked(value: Any, where: str, key: str, depth: int) -> Any:
    """A copy of `value`, which stands under `key`, without the dropped keys."""
    if depth > _DEEPEST:
        raise UserError(f"{where}: {key} is nested more than {_DEEPEST} deep; fetch the right file")
    if isinstance(value, dict):
        return {
            name: _checked(inner, where, name, depth + 1)
            for name, inner in value.items()
            if name not in _DROPPED
        }
    if isinstance(value, list):
        return [_checked(inner, where, key, depth + 1) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        bound = next((bound for pattern, bound in _BOUNDS if pattern.search(key)), _LARGEST)
        if not abs(value) <= bound:  # so is NaN
            name, shown = one_line(key, 60), one_line(value, 20)
            raise UserError(f"{where}: {name} is {shown}, beyond {bound:,}; fetch the right file")
    return value
