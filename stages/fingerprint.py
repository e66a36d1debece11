"""Hash the code of every stage, so that DVC re-runs just the stages whose code changed."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Params
from stages.command import run


def main(
    out: Annotated[Path, typer.Option(help="Folder to write: one small file per stage.")],
    root: Annotated[Path, typer.Option(help="The folder that holds `pipeline` and `stages`.")] = Path(),
    params: Params = Path("params.yaml"),
) -> None:
    """Write, for every stage and method, the hash of all project code that it imports.

    Comments, docstrings and layout do not count.
    """
    from pipeline.fingerprint import fingerprints
    from pipeline.params import load_params
    from pipeline.storage.text_file import write_text

    load_params(params)  # refuses a method that does not exist before DVC misses its file
    for name, digest in fingerprints(root).items():
        write_text(out / name, digest + "\n")


if __name__ == "__main__":
    run(main)
