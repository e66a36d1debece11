"""What code a stage runs: its import closure inside the project, hashed without comments and layout."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from pipeline.errors import UserError

METHODS = "pipeline.distillation.methods"  # imported by name, so their imports cannot be read off the code
REGISTRY = "pipeline.distillation.registry"  # what imports them; a stage that has it runs methods
MATRIX = "distill"  # the stage that runs one method at a time
# It composes the settings of all packages and checks them. What a stage computes with are the settings of the
# packages that it imports itself, so that neither this module's code nor the settings it brings count.
PARAMS = "pipeline.params"
SETTINGS = (".settings", REGISTRY)  # how the names of the modules end that it brings as settings
_NO_CODE = {"kind", "type_comment"}  # the u of u"…", and comments
_HELP = {"help", "show_default"}  # of typer.Option and typer.Argument: texts for `--help`


def fingerprints(root: Path) -> dict[str, str]:
    """The digest of each stage's code by the name of its file in `data/code`.

    A stage's code is `stages/<name>.py` and every module of the project that it imports, directly or not, at
    any depth inside it. The stage `distill` has one digest per method (`distill/<method>`), as a run of it
    imports one method's file; another stage that runs methods runs them all. `pipeline.params`, which every
    stage reads its parameters by, does not count, nor do the settings that it alone brings.

    Raises:
        UserError: there are no stages in `root`, or a file is not valid Python.
    """
    trees = {name: _parse(path) for name, path in _modules(root).items()}
    imports = import_graph(root)
    settings = {name for name in imports.get(PARAMS, ()) if name.endswith(SETTINGS)}
    imports[PARAMS] = imports.get(PARAMS, set()) - settings - {name.rpartition(".")[0] for name in settings}
    code = {name: "" if name == PARAMS else canonical(tree) for name, tree in trees.items()}
    methods = {name for name in trees if name.startswith(f"{METHODS}.")}

    def digest(*names: str) -> str:
        texts = (f"{name}\n{code[name]}\n" for name in sorted(_closure(names, imports)))
        return sha256("".join(texts).encode()).hexdigest()

    result: dict[str, str] = {}
    for name in sorted(trees):
        package, _, stage = name.rpartition(".")
        if package != "stages" or not _is_command(trees[name]):
            continue
        if stage == MATRIX:
            result |= {f"{stage}/{method.rpartition('.')[2]}": digest(name, method) for method in methods}
        else:
            result[stage] = digest(name, *(methods if REGISTRY in _closure([name], imports) else ()))
    if not result:
        raise UserError(f"{root}: holds no stages; run from the project's root or set --root")
    return dict(sorted(result.items()))


def import_graph(root: Path) -> dict[str, set[str]]:
    """Each module of `pipeline` and `stages` with those modules of the two that it imports, parents included.

    Raises:
        UserError: a file is not valid Python, or imports relatively.
    """
    modules = _modules(root)
    return {name: set(_imports(name, path, _parse(path), set(modules))) for name, path in modules.items()}


def canonical(node: object) -> str:
    """A syntax tree as a text that comments, docstrings, layout and the version of Python do not change."""
    if isinstance(node, ast.AST):
        fields = (
            f"{name}={canonical(value)}"
            for name, value in _fields(node)
            if name not in _NO_CODE and value is not None and value != []
        )
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(canonical(item) for item in node if not _does_nothing(item))}]"
    return ascii(node)  # repr() escapes the characters that this Python's Unicode tables do not know


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The fields that count; neighbouring texts of an f-string are one, as some Pythons split them."""
    for name, value in ast.iter_fields(node):
        if isinstance(node, ast.JoinedStr) and isinstance(value, list):
            value = list(_joined(value))
        if isinstance(node, ast.Call) and name == "keywords" and _is_typer(node.func):
            value = [keyword for keyword in node.keywords if keyword.arg not in _HELP]
        if not isinstance(value, list) or any(not _does_nothing(item) for item in value):
            yield name, value


def _is_typer(function: ast.expr) -> bool:
    """Whether it is `typer.Option` or `typer.Argument`."""
    return ast.unparse(function) in ("typer.Option", "typer.Argument")


def _joined(pieces: list[ast.expr]) -> Iterator[ast.expr]:
    text = ""
    for piece in pieces:
        if isinstance(piece, ast.Constant):
            text += str(piece.value)
            continue
        if text:
            yield ast.Constant(text)
        text = ""
        yield piece
    if text:
        yield ast.Constant(text)


def _does_nothing(node: object) -> bool:
    """Whether a statement is a string on its own (a docstring, wherever it stands) or `pass`."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Pass)


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise UserError(
            f"{path}:{error.lineno or 1}: is not valid Python ({error.msg}); correct it"
        ) from None
    except ValueError as error:
        raise UserError(f"{path}: is not valid Python ({error}); correct it") from None


def _closure(names: Iterable[str], imports: Mapping[str, set[str]]) -> set[str]:
    """`names` and all modules of the project that they import."""
    found: set[str] = set()
    pending = set(names)
    while pending:
        name = pending.pop()
        found.add(name)
        pending |= imports[name] - found
    return found


def _imports(name: str, path: Path, tree: ast.Module, modules: set[str]) -> Iterator[str]:
    """The project's modules that importing `name` brings, their parent packages included."""
    for wanted in (name, *_mentioned(path, tree)):
        parts = wanted.split(".")
        for depth in range(1, len(parts) + 1):
            module = ".".join(parts[:depth])
            if module in modules:
                yield module


def _mentioned(path: Path, tree: ast.Module) -> Iterator[str]:
    """The names behind `import`, `from` and `import_module`; whether one is a module is not known yet."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise UserError(f"{path}:{node.lineno}: imports relatively; write the module's whole name")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) == "import_module":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def _name(function: ast.expr) -> str:
    """The last part of a function's name."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_command(tree: ast.Module) -> bool:
    """Whether the file runs as a command: it mentions `__main__`."""
    return any(isinstance(node, ast.Constant) and node.value == "__main__" for node in ast.walk(tree))


def _modules(root: Path) -> dict[str, Path]:
    """The files of `pipeline` and `stages` by the names of their modules."""
    return {
        _module(path, root): path for top in ("pipeline", "stages") for path in (root / top).rglob("*.py")
    }


def _module(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
