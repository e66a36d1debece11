"""A teacher's labels: their names and scheme, and one line where they are not the corpus's tags."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.tagging import TagSet
from pipeline.errors import UserError
from pipeline.model.teacher_labels import TeacherLabels, read_labels, scheme_of

CORPUS = TagSet(("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))


def write(folder: Path, labels: list[str], **more: Any) -> Path:
    config = {"model_type": "bert", "id2label": dict(enumerate(labels))} | more
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("labels", "scheme"),
    [
        ("O B-PER I-PER B-LOC I-LOC", "iob2"),
        ("O B-PER I-PER B-LOC", "iob2"),  # no location of two words in training
        ("B-PER O", "iob2"),
        ("O B-LOC I-LOC I-PER", "iob1"),  # as dbmdz/bert-large-cased-finetuned-conll03-english
        ("O I-LOC I-PER", "io"),
        ("O LOC PER", "io"),
        ("O BOOK", "io"),
        ("O B-PER I-PER E-PER S-PER", "bioes"),
        ("O B-PER E-PER", "bioes"),
        ("O B-PER I-PER L-PER U-PER", "bilou"),
        ("O B I", "iob2"),
    ],
)
def test_the_scheme_is_found_by_the_labels(labels: str, scheme: str) -> None:
    assert scheme_of(labels.split()) == scheme
    assert scheme_of(labels.split(), "plain") == "plain"


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("O B-PER LOC", r"'LOC' has no prefix as 'B-PER' has one"),
        ("O B-PER S-PER U-PER", r"their prefixes are B, S, U"),
    ],
)
def test_labels_in_no_scheme_are_one_line(labels: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        scheme_of(labels.split())


def test_a_given_scheme_is_taken(tmp_path: Path) -> None:
    folder = write(tmp_path, ["O", "B-PER", "I-PER"])
    assert read_labels(folder, None, "iob2").scheme == "iob2"
    assert read_labels(folder, "iob1", "iob2").scheme == "iob1"
    with pytest.raises(UserError, match=r"json: id2label: 'B-PER' is not an io tag .*; correct it, or set"):
        read_labels(folder, "io", "iob2")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, "its labels have no names; put them into id2label"),
        ({"id2label": None}, "its labels have no names"),
        ({"id2label": {}}, "its labels have no names"),
        ({"id2label": {"0": "O", "2": "B-PER"}}, "id2label must give each number from 0 a name"),
        ({"id2label": {"0": "O", "1": "O"}}, "id2label must give each number from 0 a name of its own"),
        ({"id2label": {"0": "O", "1": 7}}, "id2label must give each number from 0 a name"),
        ({"id2label": {"0": "O", "1": "B-\u200bX"}}, "holds U\\+200B"),
        ({"architectures": ["BertForSequenceClassification"]}, "which is not a token classifier"),
        ({"chain_tagger": {"tag_set": 3}}, "tag_set in its config.json is damaged"),
        ({"model_type": "chain-tagger"}, "encoder in its config.json is damaged"),
    ],
)
def test_a_model_without_usable_labels_is_one_line(tmp_path: Path, config: dict[str, Any], says: str) -> None:
    write(tmp_path, ["O", "B-PER"], **config)
    with pytest.raises(UserError, match=says) as caught:
        read_labels(tmp_path, None, "iob2")
    assert str(caught.value).isprintable()


def labels(names: str, scheme: Any = "iob2") -> TeacherLabels:
    return TeacherLabels(Path("model"), tuple(names.split()), scheme)


def test_a_corpus_without_tags_has_those_of_its_teacher() -> None:
    own = labels("I-PER O B-MISC I-MISC I-LOC", "iob1")
    assert own.tag_set({"PER": "PERSON", "MISC": None}).tags == (
        "O",
        "B-LOC",
        "I-LOC",
        "B-PERSON",
        "I-PERSON",
    )
    assert labels("NN VB", "plain").tag_set({"VB": "AA"}) == TagSet(("AA", "NN"), "plain")
    with pytest.raises(UserError, match=r"teacher.types: leaves none of the types"):
        own.tag_set({"PER": None, "MISC": None, "LOC": None})


@pytest.mark.parametrize(
    ("own", "types", "says"),
    [
        (
            labels("O B-PERSON I-PERSON B-LOC I-LOC"),
            {},
            "its types are LOC, PERSON, and those of the corpus LOC, PER; write under teacher.types what "
            "each of PERSON is in the corpus, such as `PERSON: PER`, or null where it is none",
        ),
        (
            labels("O B-PER I-PER B-LOC I-LOC B-MISC I-MISC"),
            {},
            "what each of MISC is in the corpus, such as `MISC: null`",
        ),
        (
            labels("O B-PER I-PER"),
            {},
            "none of its types becomes LOC; name one under teacher.types, such as ",
        ),
        (
            labels("O B-PER B-LOC"),
            {"ORG": "PER"},
            "teacher.types.ORG: the teacher has no such type, only LOC, PER",
        ),
        (labels("O B-PER B-LOC"), {"PER": "A\tB"}, "teacher.types.PER: the tag 'B-A"),
        (labels("B-PER B-LOC I-PER I-LOC"), {}, "model: its labels have no O"),
        (labels("NN VB", "plain"), {}, "teacher.scheme: plain, but the corpus has spans"),
    ],
)
def test_labels_that_are_not_the_tags_of_the_corpus_are_one_line(
    own: TeacherLabels, types: dict[str, str | None], says: str
) -> None:
    with pytest.raises(UserError) as caught:
        own.check(CORPUS, types)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("own", "types"),
    [
        (labels("B-LOC B-PER I-PER O I-LOC"), {}),
        (labels("O B-PERSON B-GPE B-LOC B-DATE"), {"PERSON": "PER", "GPE": "LOC", "DATE": None}),
        (labels("O I-PER I-LOC", "iob1"), {}),
    ],
)
def test_labels_that_become_the_tags_of_the_corpus_are_taken(
    own: TeacherLabels, types: dict[str, str | None]
) -> None:
    own.check(CORPUS, types)
