"""Store what the teacher says about every training word."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Params, Teacher
from stages.command import run


def main(
    encoded: Encoded,
    teacher: Teacher,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the score store.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Run the teacher once over the training split; every method reads its scores from then on."""
    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.encoded import load
    from pipeline.model.model_folder import load_model
    from pipeline.params import load_params
    from pipeline.scores.dump import dump_scores, origin_of
    from pipeline.storage.checkpoint import Checkpoint, checkpoint_key, checkpoint_root
    from pipeline.storage.sealed_folder import check, identity, sha256

    settings = load_params(params).dump
    check(encoded)
    batches = Batches(load(encoded / "train.parquet"), settings.batch_size)
    origin = origin_of(encoded, teacher)
    key = checkpoint_key("dump", settings.model_dump(), identity(encoded), identity(teacher), sha256(code))
    with Checkpoint.hold(checkpoint_root(), key) as checkpoint:
        dump_scores(
            load_model(teacher),
            batches,
            accelerator(settings.precision),
            settings,
            origin=origin,
            checkpoint=checkpoint.folder,
            out=out,
        )


if __name__ == "__main__":
    run(main)
