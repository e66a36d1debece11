"""Distil one student."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Method, Params, Root, Scores, Seed, Teacher, Unlabelled
from stages.command import run
from stages.guard import guarded


def main(
    method: Method,
    seed: Seed,
    encoded: Encoded,
    encoder: Encoder,
    teacher: Teacher,
    scores: Scores,
    unlabelled: Unlabelled,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the student.")],
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Train one student by one method, from the teacher's stored scores and the gold tags."""
    from pipeline.storage.sealed_folder import check
    from pipeline.training.loop import reproducible
    from pipeline.training.run import Inputs, train_and_save
    from pipeline.training.student_inputs import student_inputs, student_model
    from pipeline.training.student_settings import student_settings

    with guarded(
        f"distill/{method}", params, code, lambda given: (given.student, given.settings(method)), out
    ) as (group, own):
        student = student_settings(group, own)
        check(encoder)
        inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
        reproducible(seed)
        model = student_model(student, encoder, teacher, inputs.train.encoded)
        inputs, loss = student_inputs(method, own, student, inputs, teacher, scores, unlabelled)
        train_and_save(
            model,
            inputs,
            loss,
            student,
            seed=seed,
            method=method,
            method_settings=own.model_dump(mode="json"),
            depends_on=[code, encoder, teacher, scores, unlabelled],
            tokenizer=encoder,
            root=root,
            out=out,
        )


if __name__ == "__main__":
    run(main)
