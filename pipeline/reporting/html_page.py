"""The report as one HTML file: styles, script and pictures are inside, and nothing is loaded."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.evaluation.bootstrap import significance_test
from pipeline.reporting import origin, paper_figures
from pipeline.reporting.examples import error_examples
from pipeline.reporting.finished_results import Results
from pipeline.reporting.page_parts import headline, pictures, types
from pipeline.reporting.stage_outputs import RATES
from pipeline.reporting.summary import LEVEL
from pipeline.reporting.tables import timing_notes, training_warnings

FILES = Path(__file__).parent / "page_files"
SECTIONS = {
    "headline": "Headline",
    "metrics": "Metrics",
    "pictures": "Pictures",
    "types": "Per type",
    "times": "Epoch time",
    "errors": "Errors",
    "origin": "How this was made",
}


def html_page(results: Results, *, project: Path) -> str:
    """The text of `reports/index.html`.

    Whatever comes from the corpus or the models is text, never markup: the template escapes it.

    Args:
        results: of the run.
        project: the checkout, for the commit.
    """
    summary, (best, _) = results.summary, results.best
    script, style = ((FILES / name).read_text(encoding="utf-8") for name in ("report.js", "report.css"))
    environment = Environment(
        loader=FileSystemLoader(FILES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # as `error_examples` counts bytes
    corpus, table_1 = paper_figures.table_1_of(summary["task"])
    return environment.get_template("report.html.jinja").render(
        style=_inline(style),
        script=_inline(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        sections=list(SECTIONS.items()),
        summary=summary,
        timing=results.timing,
        warnings=training_warnings(summary),
        headline=headline(results),
        rates=RATES,
        best=_best(summary["methods"]),
        best_student=best,
        level=LEVEL,
        significance_test=significance_test(summary["sentences"]),
        one_seed=any(len(figures["f1"]["seeds"]) == 1 for figures in summary["methods"].values()),
        paper={
            "name": paper_figures.NAME,
            "corpus": corpus,
            "table_1": table_1,
            "table_2": paper_figures.TABLE_2,
        },
        pictures=[picture | {"svg": _inline(picture["svg"])} for picture in pictures(results)],
        types=types(results),
        timing_note=timing_notes(results.timing).replace("`", ""),
        examples=_examples(results),
        origin=_origin(results, project),
    )


def _inline(text: str) -> Any:
    """A text of this package, or an SVG whose texts are escaped, that goes into the page as it is."""
    from markupsafe import Markup

    return Markup(text)


def _best(methods: Mapping[str, Any]) -> dict[str, set[str]]:
    """The methods with the highest mean of each rate."""
    found = {}
    for rate in RATES:
        means = {name: figures[rate]["mean"] for name, figures in methods.items()}
        found[rate] = {name for name, mean in means.items() if mean == max(means.values())}
    return found


def _examples(results: Results) -> dict[str, Any]:
    """Errors of the teacher, and of each method's student with the best development F1."""
    chosen = {
        name: max(runs.values(), key=lambda run: run.metrics["development_f1"])
        for name, runs in results.students.items()
    }
    return error_examples({"teacher": results.teacher, **chosen}, scheme=results.teacher.metrics["scheme"])


def _origin(results: Results, project: Path) -> dict[str, Any]:
    method, seed = results.best
    seeds: Sequence[int] = list(next(iter(results.students.values())))
    teacher, *students = results.made.items()
    student = f"data/students/{method}/{seed}"
    return {
        "facts": {
            "commit": origin.commit(project),
            "versions": origin.versions(),
            "device of the metrics": results.summary["device"],
            "device of the epoch times": results.timing.get("device", "nothing was timed"),
            "corpus": results.summary["task"],
            "seeds": ", ".join(map(str, seeds)),
            "seed of the teacher": str(teacher[1].get("seed", "not recorded")),
            "best student": student,
        },
        "parameters": origin.parameters(teacher[1], dict(students)),
        "commands": [
            "dvc repro  # makes all of this again, from params.yaml",
            "dvc metrics show --md metrics/methods",
            f"python -m stages.predict --model {student} TEXT_FILE",
        ],
    }
