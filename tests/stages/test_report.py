"""`report` writes every form of the report, prints the short one, and says what to do next."""

from pathlib import Path

from tests.helpers.own_corpus_stages import one_line
from tests.helpers.workspace import METHOD, Workspace
from tests.stages.conftest import Stage


def test_every_form_is_written_and_the_short_one_printed(stage: Stage, own: Workspace) -> None:
    status, out, _ = stage("report", text="out/summary.md")
    assert status == 0
    text = Path("out/summary.md").read_text()
    assert text.startswith("# Results on mine\n")
    assert out.startswith(text)
    student = own.root / "students" / METHOD / "1"
    assert out.endswith(
        f"Tag a text with it: python -m stages.predict --model {student} TEXT_FILE\n"
        "All methods side by side: out/index.html\n"
    )
    written = {str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()}
    plots = {"f1", "f1_by_latency", "learning_curves", "epoch_time", "reliability", "transitions"}
    methods = {f"methods/{name}.json" for name in ("teacher", METHOD)}
    assert written == {"summary.json", "summary.md", "index.html"} | methods | {
        f"plots/{name}.csv" for name in plots
    }


def test_epoch_times_that_are_missing_are_one_line(stage: Stage, own: Workspace) -> None:
    (own.root / "timing.json").unlink()
    said = one_line(stage("report", text="out/summary.md"))
    assert said.endswith("timing.json: missing; run `dvc repro time_epochs`")
    assert not Path("out").exists()
