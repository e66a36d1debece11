"""An existing teacher: a model trained elsewhere, as a tagger with a corpus's tags."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification

from pipeline.corpora.schemes import FileScheme
from pipeline.corpora.tagging import TagSet
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.encoder_config import read_checked
from pipeline.encoding.pretrained import load_weights, missing_weights, read_config, refused
from pipeline.errors import UserError
from pipeline.model import token_classifier
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.label_conversion import LabelConversion, converted
from pipeline.model.tagger_config import ChainTaggerConfig, tagger_values
from pipeline.model.teacher_labels import TeacherLabels, read_labels
from pipeline.settings import Head


def given_teacher(
    folder: Path, encoded: Encoded, *, types: Mapping[str, str | None], scheme: FileScheme | None
) -> tuple[ChainTagger, FileScheme]:
    """The model in `folder` as a tagger with the corpus's tags, and the scheme that its labels are in.

    It is read at the first piece of each word. Where each label is one tag of the corpus, the rows of the
    emission layer (and of transitions, start and end) are put into the corpus's order; otherwise the tagger
    has a `LabelConversion`.

    Args:
        folder: a token classifier of `transformers`, or a tagger of this project.
        encoded: a split of the corpus, cut by the model's tokenizer.
        types: the corpus's type for each of the model's that has another name; None: no span.
        scheme: of the labels; None: found out.

    Raises:
        UserError: the model cannot be loaded or was trained with another tokenizer, or its labels do not
            become the corpus's tags.
    """
    labels, order = read_order(folder, encoded.tag_set, types=types, scheme=scheme)
    if head_of(folder) == "crf":
        tagger = ChainTagger.load(folder)
    else:
        conversion = None
        if order is None:
            conversion = LabelConversion(labels.names, labels.scheme, types, encoded.tag_set)
        layout = tagger_values(read_checked(folder)).get("input_layout")
        tagger = _softmax_tagger(folder, encoded.tag_set, layout, conversion)
    if tagger.config.input_layout is not None:  # it says which tokenizer it was trained with
        tagger.folder = folder
        tagger.check_pieces(encoded.layout.identity)
    tagger.config.tag_set, tagger.config.input_layout = encoded.tag_set.to_json(), asdict(encoded.layout)
    if order is not None:
        _permute(tagger, order)
    return tagger.eval(), labels.scheme


def head_of(folder: Path) -> Head:
    """The head of the model in `folder`, by its config.json: softmax unless it is a tagger with a CRF.

    Raises:
        UserError: config.json is damaged.
    """
    return "crf" if tagger_values(read_checked(folder)).get("head") == "crf" else "softmax"


def read_order(
    folder: Path, tag_set: TagSet, *, types: Mapping[str, str | None], scheme: FileScheme | None
) -> tuple[TeacherLabels, list[int] | None]:
    """The labels of the model in `folder`, and the number of the label that each tag of the corpus is.

    No number where the labels are converted, since some are not the same but for their names. The arguments
    are those of `given_teacher`; only config.json is read.

    Raises:
        UserError: the labels do not become the corpus's tags.
    """
    labels = read_labels(folder, scheme, tag_set.scheme)
    labels.check(tag_set, types)
    order = _order(labels, types, tag_set)
    if order is None and head_of(folder) == "crf":
        raise UserError(
            "teacher.types: a teacher with a CRF must have a tag for each of the corpus's and no others, "
            "as its transitions can be neither added nor left out; choose a teacher with a softmax"
        )
    return labels, order


def _softmax_tagger(
    folder: Path, tag_set: TagSet, layout: dict[str, Any] | None, conversion: LabelConversion | None
) -> ChainTagger:
    """The token classifier in `folder` as a tagger; with a conversion, its labels become the tags.

    Raises:
        UserError: the model cannot be loaded.
    """
    config = read_config(folder)
    with refused(f"{folder}: no token classifier can be loaded from it"):
        model, missing = load_weights(AutoModelForTokenClassification, folder, config)
    if missing:
        raise missing_weights(folder, missing, "choose a whole token classifier as teacher.model")
    shape = token_classifier.shape_of(model.config.to_dict())
    converting = None if conversion is None else conversion.to_json()
    own = ChainTaggerConfig(shape, tag_set.to_json(), layout, 0.0, "softmax", converting)
    return ChainTagger.from_classifier(model, own)


def _order(labels: TeacherLabels, types: Mapping[str, str | None], tag_set: TagSet) -> list[int] | None:
    """The number of the label that each tag is; None where they are not the same but for their names."""
    if labels.scheme not in ("iob2", "plain"):
        return None
    label_of: dict[str, int] = {}
    for number, name in enumerate(labels.names):
        first, later = converted(name, labels.scheme, types)
        tag = later if name.startswith("I") else first
        if tag in label_of:
            return None
        label_of[tag] = number
    return [label_of[tag] for tag in tag_set.tags] if label_of.keys() == set(tag_set.tags) else None


@torch.no_grad()
def _permute(tagger: ChainTagger, order: list[int]) -> None:
    """Put the scores of the tags into another order: new tag n is the old `order[n]`."""
    for scores in (*tagger.emission.parameters(), tagger.transitions, tagger.start, tagger.end):
        scores.copy_(scores[order])
    tagger.transitions.copy_(tagger.transitions[:, order])
