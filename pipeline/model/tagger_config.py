"""What a tagger's config.json says of the tagger, in one form for both heads."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, get_args

from transformers import PreTrainedConfig

from pipeline.corpora.schemes import tag_problem
from pipeline.corpora.tagging import Scheme, TagSet
from pipeline.encoding.encoded import Encoded
from pipeline.encoding.encoder_config import TAGGER, read_checked
from pipeline.encoding.encoder_kinds import positions
from pipeline.encoding.input_layout import InputLayout
from pipeline.errors import UserError
from pipeline.model import token_classifier
from pipeline.model.label_conversion import LabelConversion
from pipeline.settings import Head
from pipeline.storage.file_names import CONFIG


class ChainTaggerConfig(PreTrainedConfig):
    """The configuration of a tagger.

    encoder: the encoder's own configuration.
    tag_set: the tags, in the order of the emission's columns (TagSet as JSON).
    input_layout: how pieces are laid out (InputLayout as JSON), so that the folder can tag text by itself.
    dropout: before the emission layer.
    head: see Head. A softmax tagger is saved as a stock token classifier, with these values in its config.
    conversion: of a teacher whose labels are not the tags: LabelConversion as JSON; only softmax has one.
    """

    model_type = TAGGER

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        tag_set: dict[str, Any] | None = None,
        input_layout: dict[str, Any] | None = None,
        dropout: float = 0.1,
        head: Head = "crf",
        conversion: dict[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.input_layout = input_layout
        self.tag_set = tag_set or {"scheme": "plain", "tags": ["O"]}
        self.dropout = dropout
        self.head = head
        self.conversion = conversion
        super().__init__(**rest)

    @classmethod
    def for_split(
        cls, encoder: dict[str, Any], encoded: Encoded, *, dropout: float, head: Head = "crf"
    ) -> Self:
        """That of a tagger over such an encoder which gives the split's tags and reads its pieces."""
        return cls(encoder, encoded.tag_set.to_json(), asdict(encoded.layout), dropout, head)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the emission layer's columns: the tags, or the labels that become tags."""
        return tuple((self.conversion or self.tag_set)["labels" if self.conversion else "tags"])


def tagger_values(config: Any) -> dict[str, Any]:
    """What a tagger's config.json, own or stock, says in ChainTaggerConfig's terms; {} if it is of none."""
    if not isinstance(config, dict):
        return {}
    if config.get("model_type") == ChainTaggerConfig.model_type:
        return {"head": "crf"} | config
    own = config.get(token_classifier.KEY)
    return (
        {"head": "softmax", "encoder": token_classifier.shape_of(config)} | own
        if isinstance(own, dict)
        else {}
    )


def checked_values(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """`tagger_values` of the config.json in `folder`.

    Raises:
        UserError: it is of no tagger, or a value is none that a tagger has.
    """
    where = f"{folder}: no tagger can be loaded from it"
    values = tagger_values(config)
    if not values:
        raise UserError(f"{where}: its {CONFIG} is not that of a tagger which this project trained")
    tags = values.get("tag_set")
    wrong = [
        name
        for name, right in (
            ("encoder", isinstance(values.get("encoder"), dict)),
            ("tag_set", isinstance(tags, dict) and _are_tags(tags)),
            ("head", values.get("head") in get_args(Head)),
            ("dropout", _is_share(values.get("dropout"))),
            ("input_layout", _is_layout(values.get("input_layout"))),
            ("conversion", _is_conversion(values)),
        )
        if not right
    ]
    if wrong:
        raise UserError(f"{where}: {wrong[0]} in its {CONFIG} is damaged; fetch it again")
    return values


def read_layout(folder: Path) -> InputLayout:
    """How pieces are laid out for the tagger in `folder`, without loading it.

    Raises:
        UserError: the folder holds no tagger, or one that does not say it.
    """
    layout = checked_values(read_checked(folder), folder)["input_layout"]
    if layout is None:
        raise UserError(f"{folder / CONFIG}: has no input_layout; train the model again")
    return InputLayout.from_json(layout)


def converts_labels(folder: Path) -> bool:
    """Whether the tagger in `folder` has a LabelConversion, of which its weights say nothing.

    Raises:
        UserError: the folder holds no tagger.
    """
    return checked_values(read_checked(folder), folder).get("conversion") is not None


def check_layout(layout: dict[str, Any] | None, encoder: PreTrainedConfig) -> None:
    """Check that an encoder can read inputs that are laid out so.

    Raises:
        ValueError: it has no such pieces, or not as many positions.
    """
    if layout is None:
        return
    known = InputLayout.from_json(layout)
    pieces = (*known.prefix, *known.suffix, known.pad, known.unknown)
    if max(pieces) >= encoder.vocab_size or known.window > positions(encoder):
        raise ValueError("its input_layout is for another encoder")


def _are_tags(value: dict[str, Any]) -> bool:
    tags = value.get("tags")
    return (
        value.get("scheme") in get_args(Scheme)
        and isinstance(tags, list)
        and bool(tags)
        and all(isinstance(tag, str) and tag_problem(tag, value["scheme"]) is None for tag in tags)
        and len(set(tags)) == len(tags)
    )


def _is_conversion(values: dict[str, Any]) -> bool:
    conversion, tags = values.get("conversion"), values.get("tag_set")
    if conversion is None:
        return True
    if values.get("head") != "softmax" or not isinstance(tags, dict) or not _are_tags(tags):
        return False
    try:
        LabelConversion.from_json(conversion, TagSet.from_json(tags))
    except ValueError:
        return False
    return True


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_layout(value: Any) -> bool:
    if value is None:
        return True
    try:
        InputLayout.from_json(value)
    except ValueError:
        return False
    return True
