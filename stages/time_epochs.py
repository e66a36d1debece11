"""Time one epoch of every method."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, ImportedScores, Params, Scores, ScoringTeachers, Teacher
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    encoder: Encoder,
    teacher: Teacher,
    scoring_teachers: ScoringTeachers,
    scores: Scores,
    imported_scores: ImportedScores,
    code: Code,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Measure training in phases: as published, in this pipeline, and the encoder alone.

    Without labelled sentences there is nothing to measure on: the file says so.
    """
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.model.model_folder import load_model
    from pipeline.storage.sealed_folder import check, filled
    from pipeline.storage.text_file import write_json
    from pipeline.timing.epochs import epoch_times
    from pipeline.timing.shapes import BERT_BASE_LAYERS, bert_base
    from pipeline.training.loop import reproducible
    from pipeline.training.run import Inputs
    from pipeline.training.student_inputs import labelled_parts
    from pipeline.training.teacher_folders import TeacherFolders

    uses = lambda given: (  # noqa: E731
        *(given.task, given.methods, given.student, given.time_epochs),
        *(len(given.teachers), len(given.folds)),
    )
    with guarded("time_epochs", params, code, uses, out) as (task, methods, student, settings, *counts):
        check(encoder)
        inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
        split = inputs.train.encoded
        if len(split) == 0:
            write_json(out, {"task": task, "batches": 0, "epoch_batches": 0})
            return
        first = filled(imported_scores, teacher)
        folders = TeacherFolders(teacher, first, scoring_teachers, scores, None, *counts)
        parts, stored = labelled_parts(inputs, folders)
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
