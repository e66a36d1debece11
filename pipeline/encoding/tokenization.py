"""An encoder folder's tokenizer, and what of it the batches need."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, normalizers
from transformers import PreTrainedConfig

from pipeline.encoding.encoder_kinds import positions
from pipeline.encoding.input_layout import InputLayout
from pipeline.encoding.pretrained import load_fast_tokenizer, read_config, refused
from pipeline.encoding.settings import Prepare
from pipeline.errors import UserError

SMALLEST_WINDOW = 8  # pieces, as in params.yaml


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer in `folder`, made to see each word as standing behind a space.

    Raises:
        UserError: there is none.
    """
    tokenizer = load_fast_tokenizer(folder)
    with refused(f"{folder}: no usable tokenizer", "; choose an encoder with a tokenizer"):
        if len(tokenizer) <= len(tokenizer.all_special_ids):  # made up where the files are missing
            raise UserError(
                f"{folder}: no usable tokenizer (its vocabulary is empty); choose an encoder with a tokenizer"
            )
        if tokenizer.unk_token_id is None or tokenizer.pad_token_id is None:
            raise UserError(
                f"{folder}: the tokenizer has no unknown or no padding token; choose another encoder"
            )
        _add_prefix_space(tokenizer.backend_tokenizer)
        tokenizer(["a"])  # damaged parts of it are looked at now
    return tokenizer


def tokenizer_identity(tokenizer: Any) -> str:
    """SHA-256 of all that a tokenizer does."""
    return hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()


def input_layout(tokenizer: Any, folder: Path, settings: Prepare) -> InputLayout:
    """The tokenizer's special pieces, and how long an input of the encoder in `folder` may be.

    Raises:
        UserError: the overlap leaves no room in the window, or tokenizer and encoder do not fit each other.
    """
    config = read_config(folder)
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    before = next((i for i in range(len(full)) if full[i : i + len(bare)] == bare), 0)
    with refused(f"{folder}: the encoder's window cannot be read"):
        window = int(min(settings.window, tokenizer.model_max_length, positions(config)))
    if window < SMALLEST_WINDOW:
        raise UserError(
            f"{folder}: the encoder's window is {window} pieces; choose one with at least {SMALLEST_WINDOW}"
        )
    check_vocabulary(tokenizer, config, folder)
    if settings.overlap * 2 > window:
        raise UserError(
            f"prepare.overlap: {settings.overlap} pieces is more than half of the window of {window}; lower "
            "it"
        )
    return InputLayout(
        prefix=tuple(full[:before]),
        suffix=tuple(full[before + len(bare) :]),
        pad=tokenizer.pad_token_id,
        unknown=tokenizer.unk_token_id,
        window=window,
        overlap=settings.overlap,
        identity=tokenizer_identity(tokenizer),
    )


def check_vocabulary(tokenizer: Any, config: PreTrainedConfig, folder: Path) -> None:
    """Check that the encoder with this configuration has an embedding for every piece of the tokenizer.

    Raises:
        UserError: it has not.
    """
    largest = max(tokenizer.get_vocab().values())
    if largest >= config.vocab_size:
        raise UserError(
            f"{folder}: the tokenizer has a piece with id {largest:,}, and the encoder has "
            f"{config.vocab_size:,} embeddings; put the tokenizer there that the encoder was trained with"
        )


def _add_prefix_space(backend: Tokenizer) -> None:
    """Have a tokenizer that keeps spaces see one before each word, as few of their classes do when asked.

    A byte-level step behind another one, as Llama 3's, would put a space before each part of a word, and
    Gemma's tokenizer has no such step: there the space is put before the word itself.
    """
    state = json.loads(backend.to_str())
    steps, forms = _parts(state, "pre_tokenizer"), _parts(state, "normalizer")
    lacking = [step for step in steps if step["type"] == "ByteLevel" and not step["add_prefix_space"]]
    marked = any(form["type"] == "Replace" and form["pattern"] == {"String": " "} for form in forms)
    if any(form["type"] == "Prepend" for form in forms):
        return
    if len(steps) == 1 and lacking:
        lacking[0]["add_prefix_space"] = True
        backend.pre_tokenizer = Tokenizer.from_str(json.dumps(state)).pre_tokenizer
    elif lacking or (marked and not any(step["type"] == "Metaspace" for step in steps)):
        before = [] if backend.normalizer is None else [backend.normalizer]
        backend.normalizer = normalizers.Sequence([normalizers.Prepend(" "), *before])


def _parts(state: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The steps of a part of a tokenizer, one or a sequence."""
    part = state[name] or {"type": "Sequence", f"{name.replace('_', '')}s": []}
    return list(part.get(f"{name.replace('_', '')}s", [part]))
