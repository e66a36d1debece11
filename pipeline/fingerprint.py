"""What code a stage runs: its import closure inside the project, hashed without comments and layout."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import UserError

METHODS = "pipeline.distillation.methods"  # imported by name, so their imports cannot be read off the code
REGISTRY = "pipeline.distillation.registry"  # what imports them; a stage that has it runs methods
MATRIX = "distill"  # the stage that runs one method at a time
# It composes the settings of all packages and checks them. What a stage computes with are the settings of the
# packages that it imports itself, so that neither this module's code nor the settings it brings count.
PARAMS = "pipeline.params"
SETTINGS = (".settings", REGISTRY)  # endings of the names of the modules that it brings as settings
# It decides whether a result is written, not what it holds: neither its code nor its imports count.
GUARD = "stages.guard"
_NO_CODE = {"kind", "type_comment"}  # the u of u"…", and comments
_HELP = {"help", "show_default"}  # of typer.Option and typer.Argument: texts for `--help`


def fingerprints(root: Path) -> dict[str, str]:
    """The digest of each stage's code by the name of its file in `data/code`.

    A stage's code is `stages/<name>.py` and every module of the project that it imports, directly or not, at
    any depth inside it. The stage `distill` has one digest per method (`distill/<method>`), as a run of it
    imports one method's file; another stage that runs methods runs them all. `pipeline.params`, which every
    stage reads its parameters by, does not count, nor do the settings that it alone brings.

    Raises:
        UserError: there are no stages in `root`, or a file is not valid Python or imports relatively.
    """
    code = _Code(root)
    for name in code.files:
        code.imports(name)
    names: list[str] = []
    for name in code.files:
        package, _, stage = name.rpartition(".")
        if package == "stages" and code.source(name).is_command:
            if stage == MATRIX:
                names += [f"{stage}/{method.rpartition('.')[2]}" for method in code.methods]
            else:
                names.append(stage)
    if not names:
        raise UserError(f"{root}: holds no stages; run from the project's root or set --root")
    return {name: code.digest(name) for name in sorted(names)}


def fingerprint_of(stage: str, root: Path) -> str:
    """The digest of one stage, under its name in `fingerprints`; reads no more of the code than it counts.

    Raises:
        UserError: there is no such stage or method, or a file is not valid Python or imports relatively.
    """
    return _Code(root).digest(stage)


class _Code:
    """The modules of a project; each is read once, when something is first asked of it.

    files: their files by name.
    methods: the names of those that are methods.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = [path for top in ("pipeline", "stages") for path in (root / top).rglob("*.py")]
        self.files = {_name_of(path, root): path for path in paths}
        self.methods = [name for name in self.files if name.startswith(f"{METHODS}.")]
        self._sources: dict[str, _Source] = {}
        self._imports: dict[str, set[str]] = {}

    def source(self, name: str) -> "_Source":
        """What counts of a module's file."""
        if name not in self._sources:
            self._sources[name] = _read(self.files[name], self.files[name].read_bytes())
        return self._sources[name]

    def imports(self, name: str) -> set[str]:
        """The project's modules that importing `name` brings, their parent packages included."""
        if name not in self._imports:
            found: set[str] = set()
            for wanted in (name, *self.source(name).mentioned):
                parts = wanted.split(".")
                found |= {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)} & self.files.keys()
            self._imports[name] = found
        return self._imports[name]

    def digest(self, stage: str) -> str:
        """See `fingerprint_of`."""
        name, _, method = stage.partition("/")
        start = [f"stages.{name}", *([f"{METHODS}.{method}"] if method else [])]
        for module in start:
            if module not in self.files:
                raise UserError(f"{self.root}: holds no module {module}; run from the project's root")
        closure = self._closure(start)
        if REGISTRY in closure and not method:
            closure = self._closure([*start, *self.methods])
        texts = (f"{module}\n{self._text(module)}\n" for module in sorted(closure))
        return sha256("".join(texts).encode()).hexdigest()

    def _text(self, name: str) -> str:
        return "" if name in (PARAMS, GUARD) else self.source(name).text

    def _counted(self, name: str) -> set[str]:
        """The imports of a module whose code counts with it."""
        if name == GUARD:
            return set()
        if name == PARAMS:
            settings = {module for module in self.imports(name) if module.endswith(SETTINGS)}
            return self.imports(name) - settings - {module.rpartition(".")[0] for module in settings}
        return self.imports(name)

    def _closure(self, names: Iterable[str]) -> set[str]:
        """`names` and all modules of the project that they import."""
        found: set[str] = set()
        pending = set(names)
        while pending:
            name = pending.pop()
            found.add(name)
            pending |= self._counted(name) - found
        return found


class _Source(NamedTuple):
    """What counts of a Python file.

    text: its code as `canonical` writes it.
    mentioned: the names behind `import`, `from` and `import_module`, whether they are modules or not.
    is_command: whether it mentions `__main__`, so that it runs as a command.
    """

    text: str
    mentioned: tuple[str, ...]
    is_command: bool


@cache  # a stage asks for its digest twice, at its start and before it writes
def _read(path: Path, content: bytes) -> _Source:
    tree = _parse(path, content)
    return _Source(canonical(tree), tuple(_mentioned(path, tree)), _is_command(tree))


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


def _parse(path: Path, content: bytes) -> ast.Module:
    try:
        return ast.parse(content)
    except SyntaxError as error:
        raise UserError(
            f"{path}:{error.lineno or 1}: is not valid Python ({error.msg}); correct it"
        ) from None
    except ValueError as error:
        raise UserError(f"{path}: is not valid Python ({error}); correct it") from None


def _mentioned(path: Path, tree: ast.Module) -> Iterator[str]:
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
    return any(isinstance(node, ast.Constant) and node.value == "__main__" for node in ast.walk(tree))


def _name_of(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
