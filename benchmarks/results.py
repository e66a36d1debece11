"""Record a finished run under `results/`, and write the pages' tables and pictures from what is there."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Params
from stages.command import run


def main(
    keep: Annotated[
        str | None, typer.Option(help="Record reports/ as results/<task>-<KEEP>; for example 2-layers-cpu.")
    ] = None,
    times: Annotated[bool, typer.Option("--times", help="Record only timing.json of reports/.")] = False,
    params: Params = Path("params.yaml"),
) -> None:
    """Record a run and write the pages; without --keep, only the pages are written."""
    from benchmarks.pages.page_section import with_section
    from benchmarks.pages.provenance import provenance
    from benchmarks.pages.recorded_runs import check_reports, pictures, record_run
    from benchmarks.pages.written_pages import CORPORA, written_pages
    from pipeline.params import load_params
    from pipeline.storage.text_file import write_text

    results, task = Path("results"), None
    if keep is not None:
        settings = load_params(params)
        task, folder = settings.task, results / f"{settings.task}-{keep}"
        check_reports(Path("reports"), settings, times_only=times)
        for path in record_run(Path("reports"), folder, provenance(settings), times_only=times):
            print(f"recorded {path}")
    texts = {
        page: with_section(page.read_text(encoding="utf-8"), body, page)
        for page, body in written_pages(results).items()
    }
    for path, text in {**pictures(results), **texts}.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
            print(f"wrote {path}")
    if task not in (None, *CORPORA):
        print(f"no page shows {task}: README and docs show only {', '.join(CORPORA)}")


if __name__ == "__main__":
    run(main)
