"""Time one epoch of every method."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, FoldTeachers, Params, Scores, Teacher
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    encoder: Encoder,
    teacher: Teacher,
    fold_teachers: FoldTeachers,
    scores: Scores,
    code: Code,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Measure training in phases: as published, in this pipeline, and the encoder alone."""
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.model.model_folder import load_model
    from pipeline.storage.sealed_folder import check
    from pipeline.storage.text_file import write_json
    from pipeline.timing.epochs import BERT_BASE_LAYERS, bert_base, epoch_times
    from pipeline.training.loop import reproducible
    from pipeline.training.run import Inputs
    from pipeline.training.student_inputs import TeacherFolders, labelled_parts

    uses = lambda given: (given.task, given.methods, given.student, len(given.folds), given.time_epochs)  # noqa: E731
    with guarded("time_epochs", params, code, uses, out) as (task, methods, student, folds, settings):
        check(encoder)
        inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
        split = inputs.train.encoded
        parts, stored = labelled_parts(inputs, TeacherFolders(teacher, fold_teachers, scores, folds))
        inputs = replace(inputs, parts=tuple(parts))
        reproducible(seed=0)
        if settings.shapes == "bert-base":
            live = bert_base(split)
            model = bert_base(split, layers=BERT_BASE_LAYERS, dropout=student.dropout, head=student.head)
        else:
            live = load_model(teacher)
            model = ChainTagger.from_encoder(
                encoder, split, layers=student.layers, dropout=student.dropout, head=student.head
            )
        figures = epoch_times(
            methods, inputs.batches, stored, live, model, student, settings, inputs.accelerator
        )
        write_json(out, {"task": task} | figures)


if __name__ == "__main__":
    run(main)
