"""Students with metrics on tiny data, and what `publish` writes of one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load as load_split
from pipeline.encoding.split_file import read_column
from pipeline.evaluation.evaluate import evaluate, save_evaluation
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model, save_model
from pipeline.params import load_params
from pipeline.storage.yaml_file import read_yaml
from stages import publish
from tests.helpers.tiny_inputs import HISTORY, made_by, tagger

ROOT = Path(__file__).parents[2]


def write_tree(path: Path, **changes: Any) -> Path:
    """params.yaml with the tiny student's shape, two seeds, a weight, and `changes`."""
    tree: Any = read_yaml(ROOT / "params.yaml")
    tree |= {"task": "newsdesk", "seeds": [1, 2]}
    tree["student"] |= {"layers": 2, "epochs": 2}
    tree["distill"]["efficient"]["weight"] = 0.75
    for group, values in changes.items():
        tree[group] = tree[group] | values if isinstance(values, dict) else values
    path.write_text(json.dumps(tree))
    return path


def write_runs(root: Path, bert: Path, corpus: Path, method: str = "efficient", **changes: Any) -> Path:
    """Students of a method with two seeds, and `eval/` of them and the teacher, F1 of 40, 44 and 50."""
    root.mkdir(exist_ok=True)
    params = load_params(write_tree(root / "params.yaml", **changes))
    student, second = (root / "students" / method / seed for seed in "12")
    train = load_split(corpus / "train.parquet")
    if params.student.network == "bilstm":
        model = ChainTagger.from_embeddings(bert, train, width=4, hidden=4, layers=1)
    else:
        model = tagger(bert, train, head=params.student.head)
    made = made_by(params, method)
    save_model(student, model, bert, HISTORY, made)
    save_model(second, model, bert, HISTORY, made | {"seed": 2})
    path = corpus / "test.parquet"
    gold = read_column(path, "tags")
    scored = evaluate(
        load_model(student), student, Batches(load_split(path), 8), gold, accelerator("float32")
    )
    for name, f1 in ((f"{method}/1", 40.0), (f"{method}/2", 44.0), ("teacher", 50.0)):
        evaluation = replace(scored, metrics=scored.metrics | {"f1": f1})
        save_evaluation(root / "eval" / name, evaluation, read_column(path, "words"), gold)
    return root


def published(runs: Path, out: Path, params: Path, method: str = "efficient") -> str:
    """The card that `publish` writes of the method's first student."""
    publish.main(runs / "students" / method / "1", runs / "eval" / method / "1", out, params=params)
    return (out / "README.md").read_text(encoding="utf-8")
