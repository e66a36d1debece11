"""Digests of stages: what must change them does, what must not does not, on every Python."""

import ast
import shutil
from pathlib import Path

import pytest

from pipeline import fingerprint
from pipeline.errors import UserError
from pipeline.fingerprint import canonical, fingerprint_of, fingerprints

ROOT = Path(__file__).parents[1]

PROJECT = {
    "stages/__init__.py": "",
    "stages/command.py": "def run(main): main()\n",
    "stages/early.py": (
        "from stages.command import run\n"
        "def main():\n    from pipeline.params import load\n    from pipeline import package\n"
        "if __name__ == '__main__':\n    run(main)\n"
    ),
    "stages/late.py": (
        "import pipeline.package.deep as deep\nfrom pipeline.distillation.loss import loss\n"
        "if __name__ == '__main__':\n    loss()\n"
    ),
    "stages/distill.py": (
        "from pipeline.distillation.loss import loss\nif __name__ == '__main__':\n    loss()\n"
    ),
    "pipeline/__init__.py": "",
    "pipeline/params.py": (
        "import pipeline.errors\n"
        "from pipeline.distillation.registry import method\ndef load(): method('one')\n"
    ),
    "pipeline/errors.py": "class Bad(Exception): pass\n",
    "pipeline/package/__init__.py": "from pipeline.package.inner import f\n",
    "pipeline/package/inner.py": "def f(): return 1\n",
    "pipeline/package/deep.py": "import importlib as i\nx = i.import_module('pipeline.package.hidden')\n",
    "pipeline/package/hidden.py": "def h(): return 3\n",
    "pipeline/distillation/__init__.py": "",
    "pipeline/distillation/registry.py": "import importlib\ndef method(name): ...\n",
    "pipeline/distillation/loss.py": "from pipeline.distillation.registry import method\ndef loss(): ...\n",
    "pipeline/distillation/methods/__init__.py": "",
    "pipeline/distillation/methods/one.py": "from pipeline.helper import h\n",
    "pipeline/distillation/methods/two.py": "from pipeline.distillation.methods import one\n",
    "pipeline/helper.py": "def h(): ...\n",
    "pipeline/unused.py": "x = 1\n",
}
ALL = {"early", "late", "distill/one", "distill/two"}
METHODS = {"late", "distill/one", "distill/two"}

SAMPLE = '''"""A module's docstring."""
from __future__ import annotations
import a.b as c
from d import (e, f as g)
X: int = 3
"""What X means."""
def fn(a, /, b: "list[int]" = [], *args: int, k=None, **kw) -> dict[str, int]:
    """Docs."""
    with open(a) as u, open(b) as v: pass
    if (n := len(a)) > 1 and not 2 < n <= 5: return lambda x, *y: x
    return {**kw, 'a': -1, "b": 1_000.5e-3j, b: b'\\x00\\xff', 'c': None, 'd': ...}
async def go(xs):
    async with xs as y: await y
    async for x in y: yield x
    return_ = [i async for i in y if i for j in i]
@dec(1)
@other.thing
class C(Base, metaclass=M):
    """Docs alone."""
def match(x):
    match x:
        case [1, *rest] | {"k": v, **more} if rest:
            return f"{x!r:>{w}.{p}f} {x = } {{}}" f"" "tail" f'{a["b"]}'
        case Point(x=0, y=None) as p: raise E from None
        case -1 | "s" | None | True: del x[1:2, ::3], y
        case _: pass
def t():
    try: global q; q += 1
    except* (A, B) as err: assert err, "no"
    else: nonlocal_ = not ~q
    finally: print(f"{q:%Y-%m-%d}" "\u03b1\\N{BULLET}\\U0001FAE8\\ud800" u"u")
    for i, in z: continue
    else: yield from (j for j in z)
    while 1: break
    s = f"a{1}b" "c" f"d{2:{3}}" f"{'nested' 'strings'}" f"{x:}" f"{x!s}" f"""{
        x
    }"""
    return a @ b // c ** d << e if f is not g not in h else {i for i in j}, (yield), *k
'''
# Written down when Python 3.11, 3.12 and 3.13 agreed on it; the sample holds what they read differently.
GOLDEN = "32374373ac2bcfb19bdd81410b9115ebd14af44f5bbf501134babde5af897822"


def text(source: str) -> str:
    return canonical(ast.parse(source))


def write(root: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(source, encoding="utf-8")
    return root


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "# why\nx = 1  # what"),
        ("x = 1\ny = 2", "\n\nx=1;y  =  (2)\n"),
        ("def f():\n    return 1", 'def f():\n    """Docs."""\n    return 1'),
        ("class C:\n    pass", 'class C:\n    """Docs."""'),
        ("class C:\n    a: int", 'class C:\n    a: int\n    """What a is."""'),
        ("async def f():\n    g()", 'async def f():\n    "Docs."\n    g()\n    pass'),
        ("if a:\n    b()\nelse:\n    c()", "if a:\n    b()\nelse:\n    'why'\n    c()"),
        ("x = 'a' 'b'", 'x = "ab"'),
        ("x = f'a{b}' 'c'", "x = f'a{b}c'"),
        ("x = 1000", "x = 1_000"),
        ("f(a, b)", "f(\n    a,\n    b,\n)"),
        ("x = u'a'", "x = 'a'"),
        ("x = 1  # type: int", "x = 1"),
        ("x = 1\r\ny = '''a\r\nb'''\r\n", "x = 1\ny = '''a\nb'''\n"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(one: str, other: str) -> None:
    assert text(one) == text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 1", "y = 1"),
        ("x = 1", "x: int = 1"),
        ("x = ''", "x = b''"),
        ("x = 'a'", "x = f'a'"),
        ("x = f'{a}'", "x = f'{a!r}'"),
        ("x = f'{a:1}'", "x = f'{a:2}'"),
        ("x = f'a{b}'", "x = f'{b}a'"),
        ("x = None", "x = 'None'"),
        ("x = []", "x = ()"),
        ("x = a, b", "x = b, a"),
        ("def f(a, b=None): ...", "def f(a, b): ..."),
        ("def f(a, /): ...", "def f(a): ..."),
        ("def f(*, a=None, b): ...", "def f(*, a, b=None): ..."),
        ("def f(): return 1", "async def f(): return 1"),
        ("def f(): ...", "@g\ndef f(): ..."),
        ("x = [i for i in a]", "x = [i async for i in a]"),
        ("from a import b", "from a import b as c"),
        ("from a import b", "from . import b"),
        ("x = a < b", "x = a <= b"),
        ("x = {**a, 'b': 1}", "x = {'b': 1, **a}"),
        ("if a:\n    b()\n    c()", "if a:\n    b()\nc()"),
        ("try:\n    a()\nexcept E:\n    b()", "try:\n    a()\nexcept* E:\n    b()"),
        ("f('docs')", "'docs'"),
        ("def f():\n    return 'docs'", "def f():\n    'docs'"),
        ("x = a[1:]", "x = a[:1]"),
        ("raise E", "raise E from None"),
        ("match a:\n    case [b]: c()", "match a:\n    case b: c()"),
    ],
)
def test_every_change_of_code_counts(one: str, other: str) -> None:
    assert text(one) != text(other)


def test_the_text_is_the_same_on_every_python() -> None:
    assert fingerprint.sha256(text(SAMPLE).encode()).hexdigest() == GOLDEN


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("stages/early.py", {"early"}),
        ("stages/command.py", {"early"}),
        ("stages/__init__.py", ALL),
        ("pipeline/__init__.py", ALL),
        ("pipeline/params.py", set()),
        ("pipeline/errors.py", {"early"}),
        ("pipeline/package/__init__.py", {"early", "late"}),
        ("pipeline/package/inner.py", {"early", "late"}),
        ("pipeline/package/deep.py", {"late"}),
        ("pipeline/package/hidden.py", {"late"}),
        ("pipeline/distillation/__init__.py", METHODS),
        ("pipeline/distillation/registry.py", METHODS),
        ("pipeline/distillation/loss.py", METHODS),
        ("pipeline/distillation/methods/__init__.py", METHODS),
        ("pipeline/distillation/methods/one.py", METHODS),
        ("pipeline/distillation/methods/two.py", {"late", "distill/two"}),
        ("pipeline/helper.py", METHODS),
        ("pipeline/unused.py", set()),
    ],
)
def test_a_change_reaches_the_stages_that_import_the_file(
    tmp_path: Path, file: str, stages: set[str]
) -> None:
    before = fingerprints(write(tmp_path, PROJECT))
    assert before.keys() == ALL
    assert len(set(before.values())) == len(ALL)
    assert changed(before, fingerprints(write(tmp_path, {file: "x = 0\n" + PROJECT[file]}))) == stages
    commented = {file: f'"""Docs."""\n# more\n\n{PROJECT[file]}'}
    assert fingerprints(write(tmp_path, commented)) == before


def test_one_stage_alone_has_the_same_digest(tmp_path: Path) -> None:
    """It reads no file that does not count: another that is no Python is no hindrance."""
    write(tmp_path, PROJECT)
    for name, digest in fingerprints(tmp_path).items():
        assert fingerprint_of(name, tmp_path) == digest
    for name, digest in fingerprints(ROOT).items():
        assert fingerprint_of(name, ROOT) == digest
    write(tmp_path, {"pipeline/unused.py": "def"})
    assert fingerprint_of("early", tmp_path)
    for name in ("none", "distill/none"):
        with pytest.raises(UserError, match="holds no module"):
            fingerprint_of(name, tmp_path)


def test_the_guard_of_the_stages_does_not_count(tmp_path: Path) -> None:
    guard = {
        "stages/guard.py": "from pipeline.unused import x\n",
        "stages/early.py": PROJECT["stages/early.py"] + "import stages.guard\n",
    }
    before = fingerprints(write(tmp_path, PROJECT | guard))
    edits = {"stages/guard.py": "from pipeline.unused import x\ny = 1\n", "pipeline/unused.py": "x = 2\n"}
    assert fingerprints(write(tmp_path, edits)) == before


def test_a_new_method_is_one_more_digest(tmp_path: Path) -> None:
    before = fingerprints(write(tmp_path, PROJECT))
    after = fingerprints(write(tmp_path, {"pipeline/distillation/methods/three.py": "x = 1\n"}))
    assert changed(before, after) == {"distill/three", "late"}


def test_what_params_bring_as_settings_counts_where_a_stage_imports_it(tmp_path: Path) -> None:
    settings = {
        "pipeline/timing/__init__.py": "",
        "pipeline/timing/settings.py": "class Times: passes = 3\n",
        "pipeline/params.py": PROJECT["pipeline/params.py"] + "from pipeline.timing.settings import Times\n",
        "pipeline/unused.py": "from pipeline.timing.settings import Times\n",
        "stages/late.py": PROJECT["stages/late.py"] + "import pipeline.unused\n",
    }
    before = fingerprints(write(tmp_path, PROJECT | settings))
    after = fingerprints(
        write(tmp_path, {"pipeline/timing/settings.py": "class Times: passes, more = 3, 4\n"})
    )
    assert changed(before, after) == {"late"}


@pytest.mark.parametrize("what", ["Option", "Argument"])
def test_help_texts_do_not_count(what: str) -> None:
    one = f"x: Annotated[int, typer.{what}('--x', min=1, help='How many.', show_default=False)] = 1"
    assert text(one) == text(one.replace("How many.", "So many.").replace("False", "'one'"))
    assert text(one) != text(one.replace("min=1", "min=2"))
    assert text("f(help='a')") != text("f(help='b')")


def test_a_module_moved_is_a_change(tmp_path: Path) -> None:
    before = fingerprints(write(tmp_path, PROJECT))
    (tmp_path / "pipeline/errors.py").rename(tmp_path / "pipeline/package/errors.py")
    write(
        tmp_path, {"pipeline/params.py": PROJECT["pipeline/params.py"].replace(".errors", ".package.errors")}
    )
    assert "early" in changed(before, fingerprints(tmp_path))


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"pipeline/bad.py": "x = 1\ndef\n"}, "bad.py:2: is not valid Python"),
        ({"pipeline/bad.py": "x = '\0'\n"}, "bad.py"),
        ({"pipeline/bad.py": "x = 1\nfrom . import errors\n"}, "bad.py:2: imports relatively"),
        ({"pipeline/bad.py": "from .errors import Bad\n"}, "bad.py:1: imports relatively"),
    ],
)
def test_code_that_cannot_be_followed_is_refused(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        fingerprints(write(tmp_path, PROJECT | files))
    assert "\n" not in str(caught.value)


def test_a_folder_without_stages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no stages"):
        fingerprints(tmp_path)


def test_the_settings_that_a_stage_is_given_count_with_it(tmp_path: Path) -> None:
    """They hold code, which a result made before an edit would not know of."""
    given = {
        "corpora": {"download", "prepare", "text"},
        "encoding": {"prepare", "prepare_student"},
        "evaluation": {"evaluate"},
        "fetching": {"download"},
        "scores": {"dump", "dump_text"},
        "timing": {"time_epochs"},
        "training": {"teacher", "further_teacher", "fold_teacher", "time_epochs"},
    }
    for top in ("pipeline", "stages"):
        shutil.copytree(ROOT / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    before = fingerprints(tmp_path)
    for package, stages in given.items():
        path = tmp_path / "pipeline" / package / "settings.py"
        code = path.read_text()
        path.write_text(code + "\nx = 0\n")
        assert stages <= changed(before, fingerprints(tmp_path)), package
        path.write_text(code)
