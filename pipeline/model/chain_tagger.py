"""The tagger: an encoder of any kind, a linear emission layer, and a CRF or softmax. It knows no loss."""

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import CONFIG_NAME as CONFIG
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from pipeline.chain import LinearChain
from pipeline.corpora.tagging import TagSet
from pipeline.encoding.batching import Batch
from pipeline.encoding.encoded import Encoded
from pipeline.errors import UserError, one_line
from pipeline.model import token_classifier
from pipeline.settings import Head

# What damaged files raise.
_UNLOADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)


PIECES_AT_ONCE = 1 << 15
"""Pieces that the encoder reads together when nothing is trained: 64 windows of 512."""


class ChainTaggerConfig(PreTrainedConfig):
    """What a tagger's folder says of itself.

    encoder: the encoder's own configuration.
    tag_set: the tags, in the order of the emission's columns (TagSet as JSON).
    input_layout: how pieces are laid out (InputLayout as JSON), so that the folder can tag text by itself.
    dropout: before the emission layer.
    head: see Head. A softmax tagger is saved as a stock token classifier, with these values in its config.
    """

    model_type = "chain-tagger"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        tag_set: dict[str, Any] | None = None,
        input_layout: dict[str, Any] | None = None,
        dropout: float = 0.1,
        head: Head = "crf",
        **rest: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.input_layout = input_layout
        self.tag_set = tag_set or {"scheme": "plain", "tags": ["O"]}
        self.dropout = dropout
        self.head = head
        super().__init__(**rest)


class ChainTagger(PreTrainedModel):
    """Emissions from each word's first piece; transitions, start and end scores, learned or held at 0."""

    config_class = ChainTaggerConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    transitions: Tensor
    start: Tensor
    end: Tensor

    def __init__(self, config: ChainTaggerConfig) -> None:
        super().__init__(config)
        tags = len(config.tag_set["tags"])
        self.dropout = nn.Dropout(config.dropout)
        if config.head == "softmax":
            self._take(token_classifier.new(config.encoder, tags))
        else:
            self.encoder = AutoModel.from_config(AutoConfig.for_model(**config.encoder))
            _drop_pooler(self.encoder)
            self.projection = None
            self.emission = nn.Linear(self.encoder.config.hidden_size, tags)
            self.transitions = nn.Parameter(torch.zeros(tags, tags))
            self.start = nn.Parameter(torch.zeros(tags))
            self.end = nn.Parameter(torch.zeros(tags))
        self.post_init()

    @classmethod
    def from_encoder(
        cls,
        folder: Path,
        encoded: Encoded,
        *,
        layers: int | None = None,
        dropout: float = 0.1,
        head: Head = "crf",
    ) -> Self:
        """A tagger over the first `layers` layers (all, if None) of a pretrained encoder; the head is new.

        Args:
            folder: the encoder.
            encoded: a split that the tagger will read, for its tag set and layout.
            layers: how many.
            dropout: before the emission layer.
            head: see Head.

        Raises:
            UserError: the encoder cannot be loaded, or has fewer layers, or no head of this kind.
        """
        config = _encoder_config(folder)
        if layers is not None:
            config = _first_layers(config, layers, folder)
        try:
            encoder, report = AutoModel.from_pretrained(
                folder, config=config, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
        except _UNLOADABLE as error:
            raise UserError(f"{folder}: the encoder cannot be loaded: {one_line(error)}") from None
        if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler.")):
            raise UserError(
                f"{folder}: no weights for {missing[0]} and {len(missing) - 1} more; choose a full encoder"
            )
        tag_set, layout = encoded.tag_set.to_json(), asdict(encoded.layout)
        tagger = cls(
            ChainTaggerConfig(
                token_classifier.shape_of(encoder.config.to_dict()), tag_set, layout, dropout, head
            )
        )
        _drop_pooler(encoder)
        tagger.encoder = encoder
        if tagger.projection is not None:
            tagger.projection = token_classifier.pretrained_projection(folder, config, len(encoded.tag_set))
        return tagger

    @classmethod
    def from_teacher(cls, folder: Path, *, layers: int, dropout: float = 0.1, head: Head = "crf") -> Self:
        """A student that starts as the teacher's first `layers` layers and emission layer.

        Transitions, start and end are the teacher's where both have a CRF, and 0 otherwise.

        Raises:
            UserError: the teacher cannot be loaded, has fewer layers, or its emission layer does not fit.
        """
        teacher = cls.load(folder)
        shape = token_classifier.shape_of(_first_layers(teacher.encoder.config, layers, folder).to_dict())
        of = teacher.config
        student = cls(ChainTaggerConfig(shape, of.tag_set, of.input_layout, dropout, head))
        if (student.projection is None) != (teacher.projection is None):
            raise UserError(
                f"student.init: teacher is not possible where one head is crf and one softmax over "
                f"{shape['model_type']}, whose softmax has a layer more; set pretrained, or the same head"
            )
        weights = student.state_dict() | teacher.state_dict()
        student.load_state_dict({name: weights[name] for name in student.state_dict()})
        return student

    @classmethod
    def load(cls, folder: Path) -> Self:
        """A tagger that `save_pretrained` wrote.

        Raises:
            UserError: the folder holds none.
        """
        if not (folder / CONFIG).is_file():  # transformers would make one up
            raise UserError(f"{folder}: no tagger can be loaded from it: it has no {CONFIG}")
        try:
            config = says_of_itself(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
            if not config:
                raise ValueError(f"its {CONFIG} is not of one that this project trained")
            read = cls._load_own if config["head"] == "crf" else cls._load_stock
            tagger, missing = read(folder)
        except _UNLOADABLE as error:
            raise UserError(f"{folder}: no tagger can be loaded from it: {one_line(error)}") from None
        if missing:
            raise UserError(
                f"{folder}: no weights for {missing[0]} and {len(missing) - 1} more; train it again"
            )
        return tagger

    @classmethod
    def _load_own(cls, folder: Path) -> tuple[Self, list[str]]:
        loaded: Any = cls.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        return loaded[0], sorted(loaded[1]["missing_keys"])

    @classmethod
    def _load_stock(cls, folder: Path) -> tuple[Self, list[str]]:
        model, missing = token_classifier.read(folder)
        config = ChainTaggerConfig(
            token_classifier.shape_of(model.config.to_dict()),
            **getattr(model.config, token_classifier.KEY),
            head="softmax",
        )
        if len(config.tag_set["tags"]) != model.config.num_labels:
            raise ValueError(f"its {CONFIG} has another number of tags than of labels")
        with torch.device("meta"):  # its random weights would be thrown away
            tagger = cls(config)
        tagger._take(model)
        return tagger.eval(), missing

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **options: Any) -> None:
        """Write a folder that `load` reads; with a softmax, a stock one that `transformers` reads too."""
        if self.config.head == "crf":
            super().save_pretrained(save_directory, *args, **options)
            return
        facts = {name: getattr(self.config, name) for name in ("tag_set", "input_layout", "dropout")}
        parts = {"encoder": self.encoder, "projection": self.projection, "emission": self.emission}
        token_classifier.write(Path(save_directory), self.config.encoder, self.tag_set.tags, facts, **parts)

    def _take(self, model: PreTrainedModel) -> None:
        """Consist of a stock token classifier's parts, with transitions, start and end held at 0."""
        names = token_classifier.names(model)
        self.encoder = getattr(model, names.encoder)
        _drop_pooler(self.encoder)
        self.projection = getattr(model, names.projection) if names.projection else None
        self.emission = getattr(model, names.emission)
        tags = self.emission.out_features
        for name, size in (("transitions", (tags, tags)), ("start", (tags,)), ("end", (tags,))):
            self.register_buffer(name, torch.zeros(size), persistent=False)

    @property
    def tag_set(self) -> TagSet:
        """The tags, in the order of the emission's columns."""
        return TagSet.from_json(self.config.tag_set)

    @property
    def head_parameters(self) -> list[nn.Parameter]:
        """Emission layer and CRF, if any: what is not pretrained and takes its own learning rate."""
        chain = (self.transitions, self.start, self.end)
        return [
            *self.emission.parameters(),
            *(scores for scores in chain if isinstance(scores, nn.Parameter)),
        ]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor, lengths: Tensor
    ) -> LinearChain:
        """Score B sentences of L words, laid out as V inputs of P pieces (see Batch).

        Args:
            input_ids: [V, P].
            attention_mask: [V, P].
            word_index: [B, L], where each word's first piece stands among the V·P.
            lengths: [B] words.

        Returns:
            The chain of each sentence, in float32 whatever the encoder computes in.
        """
        return self._chain(self._emissions(input_ids, attention_mask, word_index), lengths)

    def chain(self, batch: Batch) -> LinearChain:
        """`forward` on a batch, which must be on the model's device.

        Without gradients the encoder reads no more than PIECES_AT_ONCE together: a long document takes little
        memory.
        """
        inputs, mask, words = batch.input_ids, batch.attention_mask, batch.word_index
        if torch.is_grad_enabled() or inputs.numel() <= PIECES_AT_ONCE:
            return self(inputs, mask, words, batch.lengths)
        emissions = torch.empty(*words.shape, len(self.tag_set), device=words.device)
        rows = max(1, PIECES_AT_ONCE // inputs.shape[1])
        first = 0  # piece of the rows at hand
        for some, some_mask in zip(inputs.split(rows), mask.split(rows), strict=True):
            inside = (words >= first) & (words < first + some.numel())
            emissions[inside] = self._emissions(some, some_mask, words[inside] - first)
            first += some.numel()
        return self._chain(emissions, batch.lengths)

    def _emissions(self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor) -> Tensor:
        """Scores [..., N] of the words whose first pieces stand at `word_index` [...]."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        words = hidden.flatten(0, 1)[word_index]
        if self.projection is not None:
            words = self.projection(words)
        with torch.autocast(words.device.type, enabled=False):
            emissions: Tensor = self.emission(self.dropout(words.float()))
        return emissions

    def _chain(self, emissions: Tensor, lengths: Tensor) -> LinearChain:
        return LinearChain(emissions, self.transitions, self.start, self.end, lengths)


def says_of_itself(config: Any) -> dict[str, Any]:
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


def _encoder_config(folder: Path) -> Any:
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except _UNLOADABLE as error:
        raise UserError(f"{folder}: no encoder configuration can be read: {one_line(error)}") from None


def _first_layers(config: Any, layers: int, folder: Path) -> Any:
    """The configuration of the first `layers` layers of the encoder in `folder`."""
    if layers > config.num_hidden_layers:
        raise UserError(
            f"student.layers: {layers}, but the encoder in {folder} has {config.num_hidden_layers}; lower it"
        )
    values = config.to_dict()
    values[config.attribute_map.get("num_hidden_layers", "num_hidden_layers")] = layers
    if values.get("layer_types"):  # one entry for each layer, as in ModernBERT
        values["layer_types"] = values["layer_types"][:layers]
    return AutoConfig.for_model(**values)


def _drop_pooler(encoder: nn.Module) -> None:
    """No tagger looks at the pooled [CLS], so its weights are neither trained nor saved."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.register_module("pooler", None)
