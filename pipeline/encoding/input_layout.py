"""How word pieces are laid out as the encoder's input."""

from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class InputLayout:
    """What of a tokenizer the layout of the encoder's input depends on.

    prefix, suffix: ids that every input starts and ends with, as [CLS] and [SEP].
    pad, unknown: ids of [PAD] and [UNK].
    window: pieces that one input may have, prefix and suffix included.
    overlap: pieces that neighbouring windows of a longer sentence share.
    identity: SHA-256 of the tokenizer.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    unknown: int
    window: int
    overlap: int
    identity: str

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The layout that was stored as JSON of its `dataclasses.asdict`.

        Raises:
            ValueError: `value` is no such object.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or value.keys() != names or not isinstance(value["identity"], str):
            raise ValueError("the input layout is damaged")
        ids = [value["prefix"], value["suffix"], [value[name] for name in ("pad", "unknown")]]
        sizes = [value["window"], value["overlap"]]
        if not all(isinstance(part, list) and all(map(_is_count, part)) for part in (*ids, sizes)):
            raise ValueError("the input layout is damaged")
        layout = cls(**value | {"prefix": tuple(value["prefix"]), "suffix": tuple(value["suffix"])})
        if layout.capacity < 1 or layout.overlap * 2 > layout.window:
            raise ValueError("the input layout has no room for text")
        return layout

    @property
    def capacity(self) -> int:
        """Pieces of text that one window holds."""
        return self.window - len(self.prefix) - len(self.suffix)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
