"""The model card of a student: the README.md that a model hub shows, written from the run's own files."""

import ast
import json
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev

from huggingface_hub import EvalResult, ModelCardData

from pipeline.corpora.tagging import TagSet
from pipeline.distillation import methods
from pipeline.distillation.roles import UNDISTILLED
from pipeline.exporting.finished_run import FinishedRun
from pipeline.fetching.hub import HUB_ID, is_hub_id
from pipeline.reporting.tables import table

LIBRARY = "substructured-distillation"
HEADS = {"crf": "a linear-chain CRF", "softmax": "a softmax at each word"}
PAPER = "Lin et al. 2022, https://arxiv.org/abs/2203.04825"
_RATES = {
    "precision": "span precision",
    "recall": "span recall",
    "f1": "span F1",
    "token_f1": "F1 of words that are not O",
    "accuracy": "accuracy of words",
}


def model_card(run: FinishedRun, *, repository: str | None = None) -> str:
    """The card: a YAML header in the hub's format, then Markdown.

    Args:
        run: whose student it describes.
        repository: the hub id that it will have, for the lines that load it.
    """
    name = repository.rpartition("/")[2] if repository else f"{run.settings.task}-{run.method}-{run.seed}"
    sections = [
        f"# {name}",
        _summary(run),
        "## Use",
        _use(run, repository),
        "## Scores",
        _scores(run),
        "## Size and speed",
        _size(run),
        "## Data",
        _data(run),
        "## Training",
        _training(run),
        "## Limits",
        _limits(run),
    ]
    return f"---\n{_header(run, name)}---\n\n" + "\n\n".join(sections) + "\n"


def _header(run: FinishedRun, name: str) -> str:
    metrics = ("precision", "recall", "f1", "accuracy")
    results = [
        EvalResult(
            task_type="token-classification",
            dataset_type=run.settings.task,
            dataset_name=run.settings.task,
            dataset_split="test",
            metric_type=metric,
            metric_name=_RATES[metric],
            metric_value=run.outcome.metrics[metric] / 100,
        )
        for metric in metrics
    ]
    data = ModelCardData(
        model_name=name,
        library_name=LIBRARY if run.head == "crf" else "transformers",
        pipeline_tag="token-classification",
        tags=["token-classification", run.head, "knowledge-distillation", run.method],
        base_model=_base_model(run),
        datasets=_datasets(run),
        eval_results=results,
    )
    return f"{data.to_yaml()}\n"


def _base_model(run: FinishedRun) -> str | None:
    """The encoder's id on the hub, if it came from there."""
    return _repository(run.settings.encoder.source)


def _datasets(run: FinishedRun) -> list[str] | None:
    if run.settings.corpus.format != "dataset":
        return None
    found = {_repository(source) for source in _sources(run)} - {None}
    return sorted(str(source) for source in found) or None


def _repository(source: str) -> str | None:
    if not is_hub_id(source) or Path(source).exists():
        return None
    match = HUB_ID.fullmatch(source)
    return match["repo"] if match else None


def _summary(run: FinishedRun) -> str:
    tags = TagSet.from_json(run.config["tag_set"])
    kinds = sorted({tag.partition("-")[2] for tag in tags.tags} - {""})
    finds = (
        f"the types {_listing(kinds)}" if tags.scheme == "iob2" else f"{len(tags)} tags, one for each word"
    )
    teaching = "trained without a teacher" if run.method == UNDISTILLED else "distilled from a larger teacher"
    return (
        f"A tagger for the task `{run.settings.task}`: {finds}. It is a {run.layers}-layer encoder "
        f"(`{run.config['encoder']['model_type']}`) under {HEADS[run.head]}, {teaching} "
        f"by the method `{run.method}` with seed {run.seed}."
    )


def _use(run: FinishedRun, repository: str | None) -> str:
    if repository:
        imports = "from huggingface_hub import snapshot_download\n"
        folder = f'snapshot_download("{repository}")'
    else:
        imports, folder = "", '"THIS FOLDER"'
    own = (
        f"With the package `{LIBRARY}`:\n\n```python\n{imports}from pipeline.inference.tagger import load\n\n"
        f"tagger = load({folder})\n"
        'for sentence in tagger(["A sentence to tag."]):\n    print(sentence.tags, sentence.spans)\n```\n\n'
        "`python -m stages.predict --model FOLDER FILE` tags a file."
    )
    if run.head == "crf":
        return own
    stock = repository or "THIS FOLDER"
    return (
        "With `transformers` alone:\n\n```python\nfrom transformers import pipeline\n\n"
        f'tagger = pipeline("token-classification", model="{stock}", aggregation_strategy="first")\n'
        'print(tagger("A sentence to tag."))\n```\n\n'
        "It was trained on the first piece of each word, which is what `first` looks at, and on words and "
        f"marks that stand between spaces. Text behind the window is cut off; `stride` reads on.\n\n{own}"
    )


def _scores(run: FinishedRun) -> str:
    header = ["on the test split, %", f"this student (seed {run.seed})", _all_seeds(run), "its teacher"]
    rows = []
    for name, title in _RATES.items():
        values = [outcome.metrics[name] for outcome in run.outcomes.values()]
        spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
        own, teacher = run.outcome.metrics[name], run.teacher.metrics[name]
        rows.append([title, f"{own:.2f}", f"{mean(values):.2f}{spread}", f"{teacher:.2f}"])
    each = ", ".join(f"{seed}: {outcome.metrics['f1']:.2f}" for seed, outcome in run.outcomes.items())
    return (
        f"{table(header, rows)}\n\nSpans are counted as the CoNLL evaluation script counts them. The test "
        f"split was tagged once, with the weights of epoch {run.kept} of {_epochs(run)}, where F1 on "
        f"development was {run.outcome.metrics['development_f1']:.2f}. F1 on test by seed: {each}."
    )


def _all_seeds(run: FinishedRun) -> str:
    count = len(run.outcomes)
    return f"mean ± standard deviation of {count} seeds" if count > 1 else "mean of 1 seed"


def _size(run: FinishedRun) -> str:
    own, teacher = run.outcome.metrics, run.teacher.metrics
    rows = [
        [title, *(f"{metrics[name]:,.{digits}f}" for metrics in (own, teacher))]
        for name, title, digits in (
            ("parameters", "parameters", 0),
            ("megabytes", "weights, MB", 1),
            ("sentences_per_second", "sentences per second", 0),
        )
    ]
    same = own["device"] == teacher["device"]
    where = own["device"] if same else f"{own['device']}; the teacher on {teacher['device']}"
    return (
        f"{table(['', 'this student', 'its teacher'], rows)}\n\n"
        f"Speed on the test split in batches of {run.settings.evaluate.batch_size} sentences, "
        f"{run.settings.evaluate.precision}, measured on: {where}."
    )


def _data(run: FinishedRun) -> str:
    corpus = run.settings.corpus
    words = sum(len(tags) for tags in run.outcome.gold)
    lines = [
        f"The corpus `{run.settings.task}`, from {_listing(_shown(source) for source in _sources(run))}; its "
        f"tags are {'plain' if corpus.scheme == 'plain' else 'read as IOB2'}. The test split has "
        f"{len(run.outcome.gold):,} sentences of {words:,} words."
    ]
    for split, (sentences, size) in corpus.counts.items():
        if split != "test":
            lines.append(f"The file for {split} has {sentences:,} sentences of {size:,} words.")
    if corpus.hold_out is not None:
        lines.append(f"The last {corpus.hold_out:,} training sentences served as development.")
    return " ".join(lines)


def _training(run: FinishedRun) -> str:
    teacher = run.settings.teacher.model_dump(mode="json", exclude={"encoder", "head"})
    own = {name: value for name, value in run.made["settings"].items() if name not in run.made["training"]}
    return "\n".join(
        [
            f"- Method: `{run.method}`. {_description(run.method)} The paper is {PAPER}.",
            *([f"- Its settings: {_settings(own)}."] if own else []),
            f"- Student: {_settings(run.made['training'])}; seed {run.made['seed']}.",
            f"- Teacher: {HEADS[run.settings.teacher.head]} on the encoder "
            f"{_shown(run.settings.encoder.source)}; {_settings(teacher)}.",
            f"- Scores of the teacher: {_settings(run.settings.dump.model_dump(mode='json'))}.",
        ]
    )


def _description(method: str) -> str:
    """The first line of the method's file. Importing it would make all methods code of `publish`."""
    file = Path(*methods.__path__, f"{method}.py")
    described = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return described.partition("\n")[0]


def _limits(run: FinishedRun) -> str:
    layout = run.config["input_layout"]
    lines = [
        f"The scores hold for text like the test split of `{run.settings.task}`. Other kinds of text, times "
        "and languages were not measured, nor whether names of different groups fare alike.",
        "It finds its own tags alone, and spans that neither overlap nor nest.",
        "It needs words: raw text is cut by a general rule, which differs in places from the corpus's own.",
        f"Text beyond {layout['window']} word pieces is read in windows that share up to "
        f"{layout['overlap']}; what is further away is not seen.",
        "The confidence of a span is the model's own probability; it has not been calibrated.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _sources(run: FinishedRun) -> list[str]:
    return list(dict.fromkeys(run.settings.corpus.files.model_dump(exclude_none=True).values()))


def _shown(source: str) -> str:
    """An address as it is; of a path the last part, since folders of another machine tell nothing."""
    public = "://" in source or source.startswith("pypi:") or _repository(source)
    return f"`{source if public else Path(source).name}`"


def _epochs(run: FinishedRun) -> int:
    return run.settings.student.epochs


def _settings(values: dict[str, object]) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()
    )


def _listing(values: Iterable[str]) -> str:
    return ", ".join(values)
