"""The one way from a model folder's files to objects of `transformers`.

Such a folder may come from an untrusted source. So no code of its own runs, no pickle is read, nothing is
fetched, its config.json is checked first, and what a library raises on its files is the project's own error.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from safetensors import safe_open
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModel,
    AutoModelForTextEncoding,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizer,
)
from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

from pipeline.encoding.bilstm_config import BiLSTMConfig
from pipeline.encoding.encoder_config import TAGGER, read_checked, read_json
from pipeline.encoding.encoder_kinds import ENCODER_ALONE
from pipeline.errors import UserError, one_line, permission_denied
from pipeline.fetching.encoder_folder import PICKLES, SENTENCEPIECE, SHARDS, TEXT_VOCABULARIES
from pipeline.storage.file_names import CONFIG, TOKENIZER_CONFIG, WEIGHTS

AutoConfig.register(BiLSTMConfig.model_type, BiLSTMConfig)

_CLOSED = {"trust_remote_code": False, "local_files_only": True}
_SLACK = 1 << 26  # numbers that a model may hold beside its stored weights: buffers, a pooler left out


@contextmanager
def refused(what: str, advice: str = "") -> Iterator[None]:
    """Turn whatever a library raises on files into a UserError: `what`, the library's reason and `advice`."""
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        # The library `tokenizers` is in Rust, whose panics are no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, PermissionError) and error.filename:
            raise permission_denied(error.filename, error) from None
        name = type(error).__name__
        plain = isinstance(error, OSError | ValueError) and str(error)
        reason = str(error) if plain else f"{name}: {error}"
        raise UserError(f"{what}: {one_line(reason)}{advice}") from None


def read_config(folder: Path) -> PreTrainedConfig:
    """The configuration of the encoder in `folder`, which may be the encoder of a tagger.

    Raises:
        UserError: config.json is missing or damaged, or names a kind that `transformers` does not know.
    """
    what = f"{folder}: no encoder configuration can be read"
    if not (folder / CONFIG).is_file():
        raise UserError(f"{what}: it has no {CONFIG}")
    values = read_checked(folder)
    if values.get("model_type") == TAGGER:
        values = values.get("encoder")  # type: ignore[assignment]  # checked on the next line
        if not isinstance(values, dict):
            raise UserError(f"{what}: encoder in its {CONFIG} is damaged; fetch it again")
    return known_config(values, what)


def encoder_prefix(folder: Path) -> str:
    """What stands before the names of the encoder's weights in `folder`, if `transformers` cannot know it.

    Raises:
        UserError: config.json is damaged.
    """
    return "encoder." if read_checked(folder).get("model_type") == TAGGER else ""


def known_config(values: dict[str, Any], what: str) -> PreTrainedConfig:
    """The configuration with checked `values`; `what` begins the message of an error.

    Raises:
        UserError: the values make none.
    """
    kind = values.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        raise UserError(
            f"{what}: `transformers` does not know model_type {one_line(kind, 60)}; "
            "code that comes with a model is never run, so choose another encoder"
        )
    with refused(what):
        config: PreTrainedConfig = AutoConfig.for_model(**values)
    return config


def new_model(auto: Any, config: PreTrainedConfig) -> Any:
    """A model of a class of `transformers`, or of its own, with random weights."""
    if issubclass(auto, PreTrainedModel):
        return auto._from_config(config)
    return auto.from_config(config, trust_remote_code=False)


def encoder_class(config: PreTrainedConfig) -> Any:
    """The class that makes an encoder of this configuration: without decoder, where it has one."""
    return AutoModelForTextEncoding if config.model_type in ENCODER_ALONE else AutoModel


def load_weights(auto: Any, folder: Path, config: PreTrainedConfig, **options: Any) -> tuple[Any, list[str]]:
    """The model in `folder` in float32, and the names of weights that are missing, a pooler's apart.

    Raises:
        Exception: whatever missing or damaged weights raise; call it inside `refused`.
    """
    stored = _stored_numbers(folder)
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        model = new_model(auto, config)
        needed = sum(tensor.numel() for tensor in (*model.parameters(), *model.buffers()))
    if needed > 2 * stored + _SLACK:
        raise ValueError(f"its {CONFIG} describes {needed:,} values, but its weight files hold {stored:,}")
    model, report = auto.from_pretrained(
        folder,
        config=config,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
        **_CLOSED,
        **options,
    )
    missing = {name for name in report["missing_keys"] if "pooler" not in name.split(".")}
    return model, sorted(missing)


def missing_weights(folder: Path, missing: Sequence[str], advice: str) -> UserError:
    """The error of a model that lacks the weights of these names, at least one."""
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return UserError(f"{folder}: no weights for {missing[0]}{more}; {advice}")


def load_fast_tokenizer(folder: Path) -> Any:
    """The tokenizer in `folder`, in the form of the library `tokenizers`.

    Raises:
        UserError: there is none, or it has no such form, or needs code of its own or a package that is
            not installed.
    """
    what = f"{folder}: no usable tokenizer"
    path = folder / TOKENIZER_CONFIG
    settings = read_json(path) if path.exists() else {}
    given = settings.get("tokenizer_class") or _class_in_config(folder)
    with refused(what, "; choose an encoder with a tokenizer"):
        known = tokenizer_class_from_name(given) if isinstance(given, str) else None
    if known is None and "auto_map" in settings:
        raise UserError(
            f"{folder}: the tokenizer {one_line(given, 60)} is code that comes with it, which is never run; "
            "choose another encoder"
        )
    if known is not None and issubclass(known, PreTrainedTokenizer):
        raise _slow(folder, known)
    _check_sentencepiece(folder)
    config = _config_for_tokenizer(folder)
    with refused(what, "; choose an encoder with a tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(
            folder, config=config, use_fast=True, add_prefix_space=True, **_CLOSED
        )
    if not tokenizer.is_fast:
        raise _slow(folder, type(tokenizer))
    return tokenizer


def _slow(folder: Path, tokenizer: type) -> UserError:
    return UserError(
        f"{folder}: the tokenizer {tokenizer.__name__} has no fast form; choose another encoder, for "
        "example FacebookAI/xlm-roberta-base, which knows 100 languages"
    )


def _class_in_config(folder: Path) -> Any:
    """The tokenizer's class in config.json, where older models name it."""
    return read_json(folder / CONFIG).get("tokenizer_class") if (folder / CONFIG).is_file() else None


def _config_for_tokenizer(folder: Path) -> PreTrainedConfig:
    """The encoder's configuration; an empty one for a tagger of this project, which names its tokenizer."""
    values = read_checked(folder) if (folder / CONFIG).is_file() else {}
    kind = values.get("model_type", "")
    if isinstance(kind, str) and kind not in CONFIG_MAPPING and (folder / TOKENIZER_CONFIG).exists():
        return PreTrainedConfig()
    return known_config(values, f"{folder}: no usable tokenizer")


def _check_sentencepiece(folder: Path) -> None:
    """Check that the package is there which a folder with a sentencepiece model alone needs."""
    alone = [name for name in SENTENCEPIECE if (folder / name).is_file()]
    others = any((folder / name).is_file() for name in TEXT_VOCABULARIES)
    if alone and not others and not _installed("sentencepiece"):
        raise UserError(
            f"{folder}: the tokenizer {alone[0]} needs the package sentencepiece; "
            "run `pip install sentencepiece protobuf`"
        )


def _installed(package: str) -> bool:
    return package in sys.modules or find_spec(package) is not None


def _stored_numbers(folder: Path) -> int:
    """How many numbers the safetensors files of a folder hold, by their headers."""
    total = 0
    for name in _weight_files(folder):
        with safe_open(folder / name, framework="np") as tensors:
            for key in tensors.keys():  # noqa: SIM118 (no dictionary)
                size = 1
                for length in tensors.get_slice(key).get_shape():
                    size *= length
                total += size
    return total


def _weight_files(folder: Path) -> list[str]:
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    if (folder / SHARDS).is_file():
        names = set(read_json(folder / SHARDS)["weight_map"].values())
        if not all(isinstance(name, str) and PurePosixPath(name).name == name for name in names):
            raise ValueError(f"{SHARDS} names files elsewhere")
        return sorted(names)
    pickles = sorted(file.name for file in folder.iterdir() if file.name.endswith(PICKLES))
    other = f", only {pickles[0]}, which is not read since it can hold code" if pickles else ""
    raise ValueError(f"no file named {WEIGHTS}{other}; save its weights with save_pretrained")
