"""How sure a teacher is of sentences that it was trained on, and of others: what its scores can still teach.

`python -m benchmarks.confidence --encoded DIR --teacher DIR OUT.json`, on folders that the pipeline made.
"""

from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.markdown import Markdown

from benchmarks.made_with import made_with
from benchmarks.pages.benchmark_tables import confidence_section
from pipeline.corpora.settings import SPLITS
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load, read_column
from pipeline.evaluation.metrics import compute_metrics
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.model.prediction import tag_names
from pipeline.storage.sealed_folder import check
from pipeline.storage.text_file import write_json
from stages import command

SURE = 0.99  # a word is unsure whose likeliest tag has less


def main(
    output: Annotated[Path, typer.Argument(help="JSON file to write.")],
    encoded: Annotated[Path, typer.Option(help="The encoded corpus.")] = Path("data/encoded"),
    teacher: Annotated[Path, typer.Option(help="The teacher.")] = Path("data/teacher"),
    sentences: Annotated[int, typer.Option(help="Of each split, evenly spaced.")] = 2000,
) -> None:
    """Measure the teacher's tag marginals on every split."""
    check(encoded)
    model = load_model(teacher).eval()
    rows = [measure(model, encoded / f"{split}.parquet", sentences) for split in SPLITS]
    result = {"task": output.stem.partition("-")[0], "sure": SURE, "rows": rows} | made_with("transformers")
    write_json(output, result)
    Console().print(Markdown(confidence_section(result)))


@torch.inference_mode()
def measure(model: ChainTagger, split: Path, sentences: int) -> dict[str, Any]:
    """What the teacher says of the words of one split.

    Returns:
        split, sentences, words; f1 of its best sequences in percent; `unsure`, the share of words whose
        likeliest tag has a marginal below SURE; `entropy` of a word's tag in nats, the mean; `margin` between
        the two highest emissions of a word, the median.
    """
    batches, gold = Batches(load(split), 64), read_column(split, "tags")
    chosen = torch.arange(len(gold))[:: max(1, len(gold) // sentences)]
    tops, entropies, margins, predicted = [], [], [], []
    for ids in chosen.split(64):
        chain = model.chain(batches.collate(ids))
        marginals = chain.moments().unary[chain.mask]
        tops.append(marginals.amax(1))
        entropies.append(torch.special.entr(marginals).sum(1))
        best = chain.emissions[chain.mask].topk(2).values
        margins.append(best[:, 0] - best[:, 1])
        predicted += tag_names(chain.viterbi()[1], chain.lengths, model.tag_set)
    top = torch.cat(tops)
    found = compute_metrics([gold[row] for row in chosen.tolist()], predicted, scheme=model.tag_set.scheme)
    return {
        "split": split.stem,
        "sentences": len(chosen),
        "words": len(top),
        "f1": found.f1,
        "unsure": float((top < SURE).float().mean()),
        "entropy": float(torch.cat(entropies).mean()),
        "margin": float(torch.cat(margins).median()),
    }


if __name__ == "__main__":
    command.run(main)
