"""Files of the Hugging Face hub, through its own client, so that its cache, token and offline mode apply."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UserError, one_line

HUB_ID = re.compile(
    r"(?P<repo>[\w.-]+(/[\w.-]+)?)(/(?P<config>[\w.-]+))?(@(?P<revision>[\w./-]+))?", re.ASCII
)
CONVERTED = "refs/convert/parquet"  # where the hub keeps every data set as Parquet
SPLITS = {"dev": ("validation", "valid", "dev", "val")}


def split_names(split: str) -> tuple[str, ...]:
    """What a split may be called in a data set; `dev` has several names."""
    return SPLITS.get(split, (split,))


def is_hub_id(source: str) -> bool:
    """Whether `source` reads as `name`, `org/name` or `org/name/config`, each optionally `@revision`."""
    return HUB_ID.fullmatch(source) is not None and ".." not in source


def model_files(source: str, patterns: Sequence[str]) -> Path:
    """The cached folder with a model's files that match `patterns`.

    Raises:
        UserError: the hub has no such model, or it cannot be reached and the cache lacks it.
    """
    repo, config, revision = _parts(source)
    if config:
        raise UserError(
            f"{source}: neither a folder here nor a hub model; write org/name, or org/name@revision"
        )
    return _snapshot(source, repo, "model", revision, patterns)


def dataset_files(source: str, split: str) -> list[Path]:
    """The cached Parquet files of one split of a data set, in order.

    The files are those in the repository; where it has none, those that the hub has converted.

    Raises:
        UserError: the hub has no such data set or split, it has several configurations and the source names
            none, or the hub cannot be reached.
    """
    repo, config, revision = _parts(source)
    for at in (revision,) if revision else (None, CONVERTED):
        names = _split_files(source, _listing(source, repo, at), config, split)
        if names:
            folder = _snapshot(source, repo, "dataset", at, names)
            return [folder / name for name in names]
    raise UserError(
        f"{source}: has no Parquet files for the split {split}; name another data set or revision"
    )


def _parts(source: str) -> tuple[str, str | None, str | None]:
    match = HUB_ID.fullmatch(source)
    assert match, f"not checked with is_hub_id: {source}"
    return match["repo"], match["config"], match["revision"]


def _split_files(source: str, names: Sequence[str], config: str | None, split: str) -> list[str]:
    """Paths such as data/train-00000-of-00001.parquet or CONFIG/train/0000.parquet."""
    for called in split_names(split):
        wanted = re.compile(rf"(?:^|/){called}(?:[-._][^/]*|/[^/]*)?\.parquet$")
        found = sorted(name for name in names if wanted.search(name))
        if config:
            found = [name for name in found if config in name.split("/")[:-1]]
        folders = {wanted.sub("", name) for name in found}
        if len(folders) > 1:
            choices = ", ".join(sorted(folders)[:9])
            raise UserError(f"{source}: has several configurations ({choices}); write org/name/CONFIGURATION")
        if found:
            return found
    return []


def _listing(source: str, repo: str, revision: str | None) -> list[str]:
    from huggingface_hub import HfApi

    try:
        return list(HfApi().list_repo_files(repo, repo_type="dataset", revision=revision))
    except Exception as error:
        raise _refusal(source, "data set", error) from None


def _snapshot(source: str, repo: str, kind: str, revision: str | None, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        return Path(snapshot_download(repo, repo_type=kind, revision=revision, allow_patterns=list(patterns)))
    except Exception as error:
        raise _refusal(source, kind, error) from None


def _refusal(source: str, kind: str, error: Exception) -> UserError:
    """The client raises errors of several libraries; the first sentence of each says enough."""
    reason = one_line(error) or type(error).__name__
    return UserError(
        f"{source}: neither a path here nor a hub {kind} that can be fetched ({reason}); correct the name, "
        "log in if it is gated, check the network, or give a path"
    )
