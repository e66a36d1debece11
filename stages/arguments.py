"""Arguments that several stages take."""

from pathlib import Path
from typing import Annotated

import typer

Params = Annotated[Path, typer.Option(help="The file of parameters.")]
Encoded = Annotated[Path, typer.Option(help="The encoded corpus, from `prepare`.")]
Encoder = Annotated[Path, typer.Option(help="The pretrained encoder, from `download`.")]
Teacher = Annotated[Path, typer.Option(help="The teacher, from `teacher`.")]
Scores = Annotated[Path, typer.Option(help="The teacher's scores, from `dump`.")]
Unlabelled = Annotated[Path, typer.Option(help="Text without tags and scores, from `unlabelled`.")]
Code = Annotated[Path, typer.Option(help="This stage's code, from `fingerprint`.")]
Method = Annotated[str, typer.Option(help="A name in `methods`.")]
Seed = Annotated[int, typer.Option(help="A number in `seeds`.")]
Eval = Annotated[Path, typer.Option("--eval", help="The scored models, from `evaluate`.")]
Mirror = Annotated[
    Path | None,
    typer.Option(
        envvar="CORPUS_MIRROR",
        help="Folder whose MIRROR/<task>/ is looked in before any address, for files of the same name.",
    ),
]
