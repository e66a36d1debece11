"""Store what the teacher says about every training word."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Params, Root, Teacher
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    teacher: Teacher,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the score store.")],
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Run the teacher once over the training split; every method reads its scores from then on."""
    from pipeline.device import accelerator
    from pipeline.encoding.batching import Batches
    from pipeline.encoding.encoded import load
    from pipeline.model.model_folder import load_model
    from pipeline.scores.dump import dump_scores, origin_of
    from pipeline.storage.checkpoint import CHECKPOINTS, Checkpoint, run_key
    from pipeline.storage.sealed_folder import check

    with guarded("dump", params, code, lambda given: given.dump, out) as settings:
        check(encoded)
        batches = Batches(load(encoded / "train.parquet"), settings.batch_size)
        origin = origin_of(encoded, teacher)
        key = run_key("dump", settings.model_dump(), encoded, teacher, code)
        with Checkpoint.hold(root / CHECKPOINTS, key) as checkpoint:
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
