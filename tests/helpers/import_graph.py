"""Which modules import which, as the fingerprint reads it off the code."""

from pathlib import Path

from pipeline.fingerprint import _Code


def import_graph(root: Path) -> dict[str, set[str]]:
    """Each module of `pipeline` and `stages` with those that it imports."""
    code = _Code(root)
    return {name: set(code.imports(name)) for name in code.files}
