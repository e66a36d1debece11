"""Keep a finished run under `results/`, and write the pages' tables and pictures from what is there."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Params
from stages.command import run


def main(
    keep: Annotated[
        str | None, typer.Option(help="Keep metrics/ as results/<task>-<KEEP>; a device, as cpu.")
    ] = None,
    times: Annotated[bool, typer.Option("--times", help="Of metrics/, keep timing.json alone.")] = False,
    params: Params = Path("params.yaml"),
) -> None:
    """Write results and pages; without --keep, only the pages are written anew."""
    from benchmarks.pages.page_section import with_marked
    from benchmarks.pages.provenance import provenance
    from benchmarks.pages.readme_tables import overview
    from benchmarks.pages.recorded_runs import keep as keep_run
    from benchmarks.pages.recorded_runs import pictures
    from benchmarks.pages.results_page import details
    from pipeline.params import load_params
    from pipeline.storage.text_file import write_text

    results = Path("results")
    if keep is not None:
        settings = load_params(params)
        keep_run(Path("metrics"), results / f"{settings.task}-{keep}", provenance(settings), times_only=times)
    pages = {
        Path("README.md"): overview(results, "docs/results.md"),
        Path("docs/results.md"): details(results, "../results"),
    }
    texts = {page: with_marked(page.read_text(encoding="utf-8"), body, page) for page, body in pages.items()}
    for path, text in {**pictures(results), **texts}.items():
        write_text(path, text)


if __name__ == "__main__":
    run(main)
