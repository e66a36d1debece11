"""The tagger: an encoder of any kind, a linear emission layer, and a CRF. It knows no loss."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import CONFIG_NAME as CONFIG
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from pipeline.batching import Batch
from pipeline.chain import LinearChain
from pipeline.corpora.tagging import TagSet
from pipeline.encoding import Encoded
from pipeline.errors import UserError

_UNLOADABLE = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)  # what damaged files raise


class ChainTaggerConfig(PreTrainedConfig):
    """What a tagger's folder says of itself.

    encoder: the encoder's own configuration.
    tag_set: the tags, in the order of the emission's columns (TagSet as JSON).
    vocabulary: how pieces are laid out (Vocabulary as JSON), so that the folder can tag text by itself.
    """

    model_type = "chain-tagger"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        tag_set: dict[str, Any] | None = None,
        vocabulary: dict[str, Any] | None = None,
        dropout: float = 0.1,
        **rest: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.vocabulary = vocabulary
        self.tag_set = tag_set or {"scheme": "plain", "tags": ["O"]}
        self.dropout = dropout
        super().__init__(**rest)


class ChainTagger(PreTrainedModel):
    """BERT-CRF: emissions from each word's first piece, transitions, start and end scores."""

    config_class = ChainTaggerConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True

    def __init__(self, config: ChainTaggerConfig) -> None:
        super().__init__(config)
        tags = len(config.tag_set["tags"])
        self.encoder = AutoModel.from_config(AutoConfig.for_model(**config.encoder))
        _drop_pooler(self.encoder)
        self.dropout = nn.Dropout(config.dropout)
        self.emission = nn.Linear(self.encoder.config.hidden_size, tags)
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start = nn.Parameter(torch.zeros(tags))
        self.end = nn.Parameter(torch.zeros(tags))
        self.post_init()

    @classmethod
    def from_encoder(
        cls, folder: Path, encoded: Encoded, *, layers: int | None = None, dropout: float = 0.1
    ) -> Self:
        """A tagger over the first `layers` layers (all, if None) of a pretrained encoder; the head is new.

        Args:
            folder: the encoder.
            encoded: a split that the tagger will read, for its tag set and vocabulary.
            layers: how many.
            dropout: before the emission layer.

        Raises:
            UserError: the encoder cannot be loaded, or has fewer layers.
        """
        config = _encoder_config(folder)
        if layers is not None:
            config = _first_layers(config, layers, folder)
        try:
            encoder, report = AutoModel.from_pretrained(
                folder, config=config, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
        except _UNLOADABLE as error:
            raise UserError(f"{folder}: the encoder cannot be loaded: {_one_line(error)}") from None
        if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler.")):
            raise UserError(
                f"{folder}: no weights for {missing[0]} and {len(missing) - 1} more; choose a full encoder"
            )
        tagger = cls(_config(encoder.config, encoded.tag_set.to_json(), asdict(encoded.vocabulary), dropout))
        _drop_pooler(encoder)
        tagger.encoder = encoder
        return tagger

    @classmethod
    def from_teacher(cls, folder: Path, *, layers: int, dropout: float = 0.1) -> Self:
        """A student that starts as the teacher's first `layers` layers, emission layer and CRF.

        Raises:
            UserError: the teacher cannot be loaded, or has fewer layers.
        """
        teacher = cls.load(folder)
        shape = _first_layers(teacher.encoder.config, layers, folder)
        student = cls(_config(shape, teacher.config.tag_set, teacher.config.vocabulary, dropout))
        weights = teacher.state_dict()
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
            loaded: Any = cls.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except _UNLOADABLE as error:
            raise UserError(f"{folder}: no tagger can be loaded from it: {_one_line(error)}") from None
        tagger: Self = loaded[0]
        if missing := sorted(loaded[1]["missing_keys"]):
            raise UserError(
                f"{folder}: no weights for {missing[0]} and {len(missing) - 1} more; train it again"
            )
        return tagger

    @property
    def tag_set(self) -> TagSet:
        """The tags, in the order of the emission's columns."""
        return TagSet.from_json(self.config.tag_set)

    @property
    def head_parameters(self) -> list[nn.Parameter]:
        """Emission layer and CRF: what is not pretrained and takes its own learning rate."""
        return [*self.emission.parameters(), self.transitions, self.start, self.end]

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
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        words = hidden.flatten(0, 1)[word_index]
        with torch.autocast(words.device.type, enabled=False):
            emissions = self.emission(self.dropout(words.float()))
        return LinearChain(emissions, self.transitions, self.start, self.end, lengths)

    def chain(self, batch: Batch) -> LinearChain:
        """`forward` on a batch, which must be on the model's device."""
        return self(batch.input_ids, batch.attention_mask, batch.word_index, batch.lengths)


def _config(
    encoder: Any, tag_set: dict[str, Any], vocabulary: dict[str, Any], dropout: float
) -> ChainTaggerConfig:
    return ChainTaggerConfig(encoder.to_dict(), tag_set, vocabulary, dropout)


def _encoder_config(folder: Path) -> Any:
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except _UNLOADABLE as error:
        raise UserError(f"{folder}: no encoder configuration can be read: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


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
