"""The model card of a student: the README.md that a model hub shows, rendered from the files of its run."""

import ast
import json
import platform
import re
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.corpora.tagging import TagSet, types_of
from pipeline.distillation import methods
from pipeline.distillation.roles import UNDISTILLED
from pipeline.errors import counted, one_line, shown_address
from pipeline.exporting.finished_run import FinishedRun
from pipeline.fetching.hub import HUB_ID, is_hub_id
from pipeline.reporting.stage_outputs import SPAN_RATES
from pipeline.reporting.summary import over_seeds
from pipeline.reporting.tables import mean_and_std

TEMPLATE = "model_card.md.jinja"
LIBRARY = "substructured-distillation"
HEADS = {"crf": "a linear-chain CRF", "softmax": "a softmax at each word"}
PAPER = {
    "title": "Efficient Sub-structured Knowledge Distillation",
    "authors": "Wenye Lin and Yangming Li and Lemao Liu and Shuming Shi and Hai-Tao Zheng",
    "year": 2022,
    "arxiv": "2203.04825",
}
ACCURACY = {"accuracy": "accuracy of words"}
_NAMED = {"encoder", "head", "model", "types", "scheme"}  # of the teacher; they have words of their own
TITLES = {
    "precision": "span precision",
    "recall": "span recall",
    "f1": "span F1",
    "token_f1": "F1 of words that are not O",
} | ACCURACY


def model_card(run: FinishedRun, *, repository: str | None = None, licence: str | None = None) -> str:
    """The card: a YAML header in the hub's format, then Markdown.

    Args:
        run: of the student that it describes.
        repository: the student's hub id, for the lines that load it.
        licence: the student's, as the hub calls it.
    """
    tag_set = TagSet.from_json(run.config["tag_set"])
    plain = tag_set.scheme == "plain"  # then precision, recall and both F1 are the accuracy
    rates = ACCURACY if plain else TITLES
    name = repository.rpartition("/")[2] if repository else f"{run.settings.task}-{run.method}-{run.seed}"
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": _code, "settings": _settings}
    return environment.get_template(TEMPLATE).render(
        run=run,
        name=name,
        repository=repository,
        licence=licence,
        header=_header(run, name, rates, licence),
        library=LIBRARY,
        heads=HEADS,
        counted=counted,
        undistilled=UNDISTILLED,
        paper=PAPER,
        plain=plain,
        labels=tag_set.tags if plain else sorted(types_of(tag_set.tags, tag_set.scheme)),
        rates=[_row(run, rate, title) for rate, title in rates.items()],
        main="accuracy" if plain else "f1",
        measure="accuracy" if plain else "F1",
        sources=[_public(source) for source in _sources(run)],
        text=[_public(source) for source, _ in run.settings.text.sources()],
        imported_scores=_public(run.settings.dump.scores) if run.settings.dump.scores else None,
        score_settings=run.settings.dump.model_dump(mode="json", exclude={"scores"}),
        base=_public(_own_encoder(run)),
        teachers_base=_public(run.settings.encoder.source),
        method=_description(run.method),
        method_settings=_without(run.made["settings"], run.made["training"]),
        teacher_settings=run.settings.teacher.model_dump(mode="json", exclude=_NAMED),
        versions={"Python": platform.python_version()}
        | {package: version(package) for package in (LIBRARY, "torch", "transformers")},
    )


def _header(run: FinishedRun, name: str, rates: dict[str, str], licence: str | None) -> str:
    """The card's metadata as YAML, with the metrics that the hub knows."""
    corpus = run.settings.corpus
    results = [
        EvalResult(
            task_type="token-classification",
            dataset_type=run.settings.task,
            dataset_name=run.settings.task,
            dataset_split="test",
            metric_type=rate,
            metric_name=title,
            metric_value=run.evaluation.metrics[rate] / 100,
        )
        for rate, title in rates.items()
        if rate in (*SPAN_RATES, *ACCURACY)
    ]
    datasets = {_repository(source) for source in _sources(run)} if corpus.format == "dataset" else set()
    data = ModelCardData(
        model_name=name,
        language=corpus.language,
        license=licence,
        library_name=LIBRARY if run.head == "crf" else "transformers",
        pipeline_tag="token-classification",
        tags=["token-classification", run.head, "knowledge-distillation", run.method],
        base_model=_repository(_own_encoder(run)),
        datasets=sorted(source for source in datasets if source) or None,
        eval_results=results,
    )
    return str(data.to_yaml())


def _row(run: FinishedRun, rate: str, title: str) -> list[str]:
    """This student's rate, the mean over the method's seeds, and the teacher's."""
    own, teacher = run.evaluation.metrics[rate], run.teacher.metrics[rate]
    return [title, f"{own:.2f}", mean_and_std(over_seeds(run.evaluations, rate)), f"{teacher:.2f}"]


def _description(method: str) -> str:
    """The first line of the method's file, parsed: an import would make every method code of `publish`."""
    file = Path(*methods.__path__, f"{method}.py")
    described = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return described.partition("\n")[0]


def _sources(run: FinishedRun) -> list[str]:
    """The addresses of the corpus's files, each once."""
    return list(dict.fromkeys(chain.from_iterable(run.settings.corpus.files.by_split().values())))


def _own_encoder(run: FinishedRun) -> str:
    """Where the student's encoder comes from: its own, or the teacher's."""
    return (run.settings.student_encoder or run.settings.encoder).source


def _repository(source: str) -> str | None:
    """The repository on the hub, if `source` names one."""
    if not is_hub_id(source) or Path(source).exists():
        return None
    match = HUB_ID.fullmatch(source)
    return match["repo"] if match else None


def _public(source: str) -> str:
    """An address without its secrets; of a path its last part, as folders here mean nothing to a reader."""
    if "://" in source:
        return shown_address(source)
    return source if source.startswith("pypi:") or _repository(source) else Path(source).name


def _code(text: object) -> str:
    """`text` as code in Markdown, between more backticks than it has."""
    shown = one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    gap = " " if "`" in shown else ""
    return f"{fence}{gap}{shown}{gap}{fence}"


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()
    )


def _without(values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in others}
