"""Folders of strangers: no code of theirs runs, no pickle is read, standard input is untouched."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.encoding import pretrained
from pipeline.encoding.pretrained import load_fast_tokenizer, read_config
from pipeline.encoding.tokenization import load_tokenizer
from pipeline.errors import UserError
from pipeline.model.encoder import load_encoder
from tests.helpers.forked_stages import Stages
from tests.helpers.tiny_encoders import KINDS, MORE_KINDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(bert: Path, tmp_path: Path) -> Path:
    """A copy of the tiny BERT, to be changed."""
    return shutil.copytree(bert, tmp_path / "encoder")


def change(path: Path, **values: Any) -> None:
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | values))


def with_code(folder: Path) -> None:
    """Make it an encoder and a tokenizer that bring code, as the hub's `auto_map` names it."""
    (folder / "mine.py").write_text(
        'open("CODE_RAN", "a").write("ran")\n'
        "from transformers import BertConfig, BertTokenizer\n"
        "class C(BertConfig):\n    model_type = 'unheard-of'\n"
        "class T(BertTokenizer):\n    pass\n"
    )
    change(folder / "config.json", model_type="unheard-of", auto_map={"AutoConfig": "mine.C"})
    change(
        folder / "tokenizer_config.json",
        tokenizer_class="MyTokenizer",
        auto_map={"AutoTokenizer": ["mine.T", None]},
    )


@pytest.mark.parametrize("stage", ["predict", "prepare"])
def test_code_in_a_folder_never_runs_and_standard_input_is_untouched(
    stage: str, folder: Path, teacher: Path, stages: Stages, tmp_path: Path
) -> None:
    if stage == "predict":
        folder = shutil.copytree(teacher, tmp_path / "model")
        (folder / "seal.json").unlink()
        change(folder / "config.json", auto_map={"AutoConfig": "mine.C"})
        arguments = ["--model", str(folder)]
    else:
        (tmp_path / "a.conll").write_text("ba O\n")
        arguments = ["--check", str(tmp_path / "a.conll"), "--encoder", str(folder)]
        arguments += ["--params", str(ROOT / "params.yaml")]
    with_code(folder)
    ended = stages.run(stage, *arguments, place=tmp_path, typed="y\n1\n")
    assert (ended.status, ended.read) == (2, 0), ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "CODE_RAN").exists()


def test_a_kind_that_is_known_needs_no_code_of_its_folder(folder: Path) -> None:
    (folder / "mine.py").write_text("raise SystemExit('code ran')")
    change(folder / "config.json", auto_map={"AutoConfig": "mine.C", "AutoModel": "mine.M"})
    assert type(load_encoder(folder)).__name__ == "BertModel"


def test_the_bilstm_of_this_project_is_a_known_kind_whatever_else_is_imported() -> None:
    """The model card reads it without the network."""
    program = "from pipeline.encoding import pretrained as p; p.known_config({'model_type': 'bilstm'}, 'it')"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True, timeout=300)


def test_pickled_weights_are_not_read(folder: Path) -> None:
    weights = load_encoder(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only pytorch_model\.bin, which is not read since it can hold code"):
        load_encoder(folder)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
def test_an_attention_kernel_of_the_hub_is_never_asked_for(
    key: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("transformers.modeling_utils.lazy_import_flash_attention", asked.append)
    change(folder / "config.json", **{key: "someone/kernel"})
    assert load_encoder(folder).config._attn_implementation in ("sdpa", "eager")
    assert not asked


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", "[" * 100_000, "is not JSON"),
        ("config.json", "[]", "holds no JSON object"),
        ("config.json", '{"model_type": "bert", "num_hidden_layers": 1000000000}', "beyond 200"),
        ("config.json", '{"model_type": "bert", "hidden_size": 1e300}', "beyond 262,144"),
        ("config.json", '{"model_type": "bert", "layer_norm_eps": NaN}', "layer_norm_eps is nan"),
        ("config.json", '{"model_type": ["bert"]}', "does not know model_type"),
        ("config.json", '{"model_type": "bert", "quantization_config": {}}', "quantised"),
        ("config.json", '{"model_type": "bert", "vocab_size": 90000000}', "describes"),
        ("config.json", '{"model_type": "bert", "hidden_act": "no-such"}', "cannot be loaded: KeyError"),
        ("config.json", '{"model_type": "bert", "num_attention_heads": 0}', "ZeroDivisionError"),
        ("config.json", '{"model_type": "vit"}', "reads more than text"),
        ("adapter_config.json", '{"base_model_name_or_path": "/"}', "holds an adapter"),
        ("config.json", "x" * 4_000_001, "more than 4,000,000"),
    ],
)
def test_a_crafted_configuration_is_one_line(name: str, content: str, says: str, folder: Path) -> None:
    (folder / name).write_text(content)
    with pytest.raises(UserError, match=says) as caught:
        load_encoder(folder)
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)


def test_an_index_of_shards_leads_to_no_other_folder(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "other.safetensors")
    index = {"metadata": {}, "weight_map": {"a": "../other.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="names files elsewhere"):
        load_encoder(folder)


@pytest.mark.parametrize("file", ["tokenizer_config.json", "config.json"])
@pytest.mark.parametrize("name", ["BertJapaneseTokenizer", "BertweetTokenizer", "PhobertTokenizer"])
def test_a_tokenizer_without_a_fast_form_is_one_line(name: str, file: str, folder: Path) -> None:
    """Its class stands in one of two files; Japanese BERT also says there how words are cut."""
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\na\n")
    change(folder / "tokenizer_config.json", tokenizer_class=None, word_tokenizer_type="mecab")
    change(folder / file, tokenizer_class=name)
    with pytest.raises(
        UserError, match=rf"{folder}: the tokenizer {name} has no fast form; choose another encoder"
    ):
        load_tokenizer(folder)


def test_a_tokenizer_of_sentencepiece_alone_names_the_package(
    encoder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(encoder("deberta-v2"), tmp_path / "deberta")
    (folder / "tokenizer.json").unlink()
    (folder / "spm.model").write_bytes(b"\x0a\x07\x0a\x03<s>\x15")
    monkeypatch.setattr(pretrained, "_installed", lambda package: False)
    with pytest.raises(UserError, match=r"spm\.model needs the package sentencepiece; run `pip install"):
        load_tokenizer(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", "{}"),
        ("tokenizer.json", '{"model": {"type": "WordPiece", "vocab": {"a": 99999999999}}}'),
        ("tokenizer_config.json", '{"tokenizer_class": 7}'),
        ("tokenizer_config.json", '{"auto_map": 3}'),
        ("tokenizer_config.json", '{"tokenizer_class": "BertTokenizer", "unk_token": {"a": 1}}'),
        ("tokenizer_config.json", '{"added_tokens_decoder": {"x": 1}}'),
        ("tokenizer_config.json", "[1]"),
    ],
)
def test_a_crafted_tokenizer_is_one_line(name: str, content: str, folder: Path) -> None:
    (folder / name).write_text(content)
    with pytest.raises(UserError, match=f"^{folder}") as caught:
        load_tokenizer(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS | MORE_KINDS)
def test_the_configuration_is_the_one_that_transformers_reads(kind: str, encoder: Any) -> None:
    from transformers import AutoConfig

    theirs = AutoConfig.from_pretrained(encoder(kind)).to_dict()
    ours = read_config(encoder(kind)).to_dict()
    own = {"_name_or_path", "dtype"}
    assert {key: ours[key] for key in ours if key not in own} == {
        key: theirs[key] for key in theirs if key not in own
    }


def test_the_tokenizer_is_fast(bert: Path) -> None:
    assert load_fast_tokenizer(bert).is_fast
