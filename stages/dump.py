"""Store what the teacher says about every training word."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Encoded, Params, Teacher
from stages.command import run


def main(
    encoded: Encoded,
    teacher: Teacher,
    out: Annotated[Path, typer.Option(help="Folder to write: the score store.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Run the teacher once over the training split; every method reads its scores from then on."""
    from pipeline.batching import Batches
    from pipeline.device import accelerator
    from pipeline.dumping import origin_of, parameters_of, teacher_scores
    from pipeline.encoding import load
    from pipeline.folder import check
    from pipeline.model_folder import load_model
    from pipeline.params import load_params
    from pipeline.scores import write_scores

    settings = load_params(params).dump
    check(encoded)
    batches = Batches(load(encoded / "train.parquet"), settings.batch_size)
    model = load_model(teacher)
    write_scores(
        out,
        teacher_scores(model, batches, accelerator(settings.precision)),
        origin=origin_of(encoded, teacher),
        parameters=parameters_of(model),
        sentences=len(batches.encoded),
        shard_sentences=settings.shard_sentences,
        dtype=settings.dtype,
    )


if __name__ == "__main__":
    run(main)
