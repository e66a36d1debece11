"""Keep a finished run under `results/`, and write the README's tables and pictures from what is there."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Params
from stages.command import run


def main(
    keep: Annotated[
        str | None, typer.Option(help="Keep metrics/ as results/<task>-<KEEP>; a device, as cpu.")
    ] = None,
    params: Params = Path("params.yaml"),
) -> None:
    """Write results and README; without --keep, only the README is written anew."""
    from pipeline.params import load_params
    from pipeline.reporting import readme
    from pipeline.reporting.files import write_text
    from pipeline.reporting.provenance import provenance

    results, page = Path("results"), Path("README.md")
    if keep is not None:
        settings = load_params(params)
        readme.keep(Path("metrics"), results / f"{settings.task}-{keep}", provenance(settings))
    for path, picture in readme.pictures(results).items():
        write_text(path, picture)
    write_text(page, readme.update(page.read_text(encoding="utf-8"), results))


if __name__ == "__main__":
    run(main)
