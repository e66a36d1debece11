"""What code a stage runs: its import closure inside the project, hashed without comments and layout."""

import ast
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

METHODS = "pipeline.distillation.methods"  # imported by name, so their imports cannot be read off the code
MATRIX = "distill"  # the stage that runs one method at a time
# Fields that newer Pythons add to the tree or leave out, without a change in the code.
_UNSTABLE = {"type_comment", "type_ignores", "type_params", "kind", "ctx"}


def fingerprints(root: Path) -> dict[str, str]:
    """The digest of each stage's code by the name of its file in `data/code`.

    A stage's code is `stages/<name>.py` and every module of the project that it imports, directly or not, at
    any depth inside it. The stage `distill` has one digest per method (`distill/<method>`), as a run of it
    imports one method's file; all other stages know the methods' settings only through the parameters.
    """
    modules = {
        _module(path, root): path for top in ("pipeline", "stages") for path in (root / top).rglob("*.py")
    }
    result = {}
    for name in modules:
        package, _, stage = name.rpartition(".")
        if package != "stages" or not _is_stage(modules[name]):
            continue
        if stage != MATRIX:
            result[stage] = _digest(_closure({name}, modules), modules)
            continue
        for method in modules:
            if method.startswith(f"{METHODS}."):
                result[f"{stage}/{method.rpartition('.')[2]}"] = _digest(
                    _closure({name, method}, modules), modules
                )
    return dict(sorted(result.items()))


def canonical(source: str) -> str:
    """The code of `source` as one text, the same whatever its comments, docstrings, layout and Python."""
    return _text(ast.parse(source))


def _closure(names: set[str], modules: dict[str, Path]) -> set[str]:
    """`names` and all modules of the project that they import."""
    found: set[str] = set()
    pending = set(names)
    while pending:
        name = pending.pop()
        found.add(name)
        pending |= set(_imports(name, modules)) - found
    return found


def _imports(name: str, modules: dict[str, Path]) -> Iterator[str]:
    """The project's modules that importing `name` brings, its parent packages included."""
    for node in ast.walk(ast.parse(modules[name].read_text())):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            wanted = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for module in wanted:
            parts = module.split(".")
            for depth in range(1, len(parts) + 1):
                prefix = ".".join(parts[:depth])
                if prefix in modules:
                    yield prefix


def _digest(names: set[str], modules: dict[str, Path]) -> str:
    digest = sha256()
    for name in sorted(names):
        digest.update(f"{name}\n{canonical(modules[name].read_text())}\n".encode())
    return digest.hexdigest()


def _text(node: object) -> str:
    if isinstance(node, ast.AST):
        fields = []
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(value, list):
                value = value[1:] if _is_docstring(value) else value
            if name not in _UNSTABLE and value is not None and value != []:
                fields.append(f"{name}={_text(value)}")
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(_text(item) for item in node)}]"
    return repr(node)


def _is_docstring(body: list[ast.stmt]) -> bool:
    first = body[0] if body else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _is_stage(path: Path) -> bool:
    """Whether the file runs as a command."""
    return "__main__" in path.read_text()


def _module(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
