"""A tagger as a folder that runs without this project: network, chain, tokenizer and a program that tags."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.exporting.out_folder import check_out
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model_and_tokenizer
from pipeline.storage.sealed_folder import new_folder

NETWORK, SETTINGS, TOKENIZER, PROGRAM = "model.onnx", "tagger.json", "tokenizer.json", "tag.py"
_NEEDED = ("onnx", "onnxruntime", "onnxscript")


def write_export(model: Path, out: Path, *, int8: bool) -> None:
    """Write the tagger in the folder `model` to `out`.

    model.onnx: encoder and emission layer, in float32 or with 8-bit weights (see int8).
    tagger.json: tags, their scheme, transitions [N, N] (row previous), start and end [N], how pieces are laid
        out.
    tokenizer.json: for the library `tokenizers`.
    tag.py: tags text; needs onnxruntime, tokenizers and numpy.

    Raises:
        UserError: a library is missing, the model is damaged or its encoder cannot be exported, or `out`
            cannot be written or replaced (see check_out).
    """
    for library in _NEEDED:
        if find_spec(library) is None:
            raise UserError(
                f"{library} is not installed; run `pip install 'substructured-distillation[export]'`"
            )
    check_out(model, out, PROGRAM)
    import onnx

    from pipeline.exporting.int8 import quantize
    from pipeline.exporting.onnx_network import emission_network

    tagger, tokenizer = load_model_and_tokenizer(model)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    with new_folder(out) as aside:  # which refuses `out` before the export, and not a minute later
        network = emission_network(tagger, model)
        if int8:
            quantize(network)
        onnx.save(network, aside / NETWORK)
        settings = json.dumps(_settings(tagger), ensure_ascii=False) + "\n"
        (aside / SETTINGS).write_text(settings, encoding="utf-8", newline="\n")
        backend.save(str(aside / TOKENIZER))
        shutil.copyfile(Path(__file__).with_name(PROGRAM), aside / PROGRAM)


def _settings(tagger: ChainTagger) -> dict[str, Any]:
    chain = {name: getattr(tagger, name).tolist() for name in ("transitions", "start", "end")}
    return tagger.tag_set.to_json() | chain | tagger.config.input_layout
