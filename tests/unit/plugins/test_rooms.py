"""The rooms of the house keep their doors: what is pure imports nothing that reads or writes, and each outer library has one door."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
UTILS = PLUGINS / "module_utils"

# Whole rooms of input and output: the doors to an API server and to AWS, and waiting, which needs a clock.
DOORS = ("_k8s", "_aws", "_wait")
# In every other room these files read and write, and all others are pure.
READING_AND_WRITING = ("state", "apply", "source")
# Files of the doors that are pure.
PURE_IN_DOORS = (("_aws", "policies"), ("_aws", "tags"), ("_k8s", "denials"), ("_k8s", "redaction"), ("_k8s", "writes"))
# Files beside the rooms that are pure.
PURE_FILES = ("_diff", "_errors", "_kinds", "_kubernetes_text", "_managed_fields", "_near_misses", "_text", "_yaml")
# What a pure file may import from outside of the collection. What is not named here might read, write, or look at a clock.
PURE_OUTSIDE = (
    "__future__", "ansible.module_utils.common.validation", "ansible.module_utils.common.yaml", "ansible.module_utils.parsing.convert_bool",
    "ansible_collections.amazon.aws.plugins.module_utils.policy", "ansible_collections.amazon.aws.plugins.module_utils.tagging",
    "base64", "binascii", "dataclasses", "datetime", "decimal", "difflib", "fnmatch", "fractions", "functools", "hashlib", "ipaddress", "json",
    "jsonpath_ng.ext.parser", "math", "re", "ssl", "typing", "urllib.parse", "xml.etree", "yaml", "zlib",
)  # fmt: skip
# What reads or writes without an import, and the methods that look at the clock.
IMPURE_CALLS = ("__import__", "eval", "exec", "input", "open", "print")
CLOCKS = ("now", "today", "utcnow")


def imports_of(path: Path) -> list[tuple[str, ...]]:
    """The modules that a file of the collection imports; one of the collection begins with "plugins"."""
    here = ("plugins", *path.relative_to(PLUGINS).with_suffix("").parts)
    found: list[tuple[str, ...]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = (*(here[: len(here) - node.level] if node.level else ()), *((node.module or "").split(".") if node.module else ()))
            # "from .package import file" names a file, as "from .package.file import name" does.
            files = [alias.name for alias in node.names if package[:1] == ("plugins",) and (PLUGINS.joinpath(*package[1:]) / f"{alias.name}.py").is_file()]
            found += [(*package, name) for name in files] or [package]
    return found


def is_pure(module: tuple[str, ...]) -> bool:
    if module[:2] == ("plugins", "module_utils"):
        if (UTILS / module[2]).is_dir():
            return module[2:] in PURE_IN_DOORS or (module[2] not in DOORS and module[-1] not in READING_AND_WRITING)
        return module[2] in PURE_FILES
    return ".".join(module) in PURE_OUTSIDE


def impure_calls_of(tree: ast.AST) -> list[str]:
    """The calls in a file that read, write, or look at the clock, although nothing is imported for it."""
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        *(one.id for one in functions if isinstance(one, ast.Name) and one.id in IMPURE_CALLS),
        *(one.attr for one in functions if isinstance(one, ast.Attribute) and one.attr in CLOCKS),
    ]


PURE = sorted(path for path in UTILS.rglob("*.py") if is_pure(("plugins", "module_utils", *path.relative_to(UTILS).with_suffix("").parts)))


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(UTILS)))
def test_a_pure_file_imports_only_what_is_pure(path: Path) -> None:
    doors = [".".join(module) for module in imports_of(path) if not is_pure(module)]
    assert not doors, f"{path.relative_to(PLUGINS)} is of a pure room, and imports {', '.join(doors)}"
    calls = impure_calls_of(ast.parse(path.read_text()))
    assert not calls, f"{path.relative_to(PLUGINS)} is of a pure room, and calls {', '.join(calls)}"


@pytest.mark.parametrize(
    ("text", "calls"), [("open('x').read()", ["open"]), ("datetime.datetime.now()", ["now"]), ("item.open()", []), ("re.compile('x')", [])]
)
def test_a_call_that_reads_is_found_without_an_import(text: str, calls: list[str]) -> None:
    assert impure_calls_of(ast.parse(text)) == calls


def test_a_file_is_found_by_both_ways_to_import_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module_utils" / "_a").mkdir(parents=True)
    (tmp_path / "module_utils" / "_a" / "state.py").touch()
    importer = tmp_path / "module_utils" / "_a" / "plan.py"
    monkeypatch.setitem(globals(), "PLUGINS", tmp_path)
    for text in ("from . import state", "from .state import read", "from .._a import state"):
        importer.write_text(text)
        assert imports_of(importer) == [("plugins", "module_utils", "_a", "state")], text


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        (("ansible_collections", "kubernetes"), {"module_utils/_k8s/connect.py"}),
        (("kubernetes",), {"module_utils/_k8s/connect.py", "module_utils/_k8s/transport.py"}),
        (("ansible_collections", "amazon"), {"module_utils/_aws/connect.py", "module_utils/_aws/policies.py", "module_utils/_aws/tags.py"}),
        (("boto3",), set()),
        (("urllib3",), {"module_utils/_k8s/connect.py", "module_utils/_k8s/transport.py"}),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_a_library_has_one_door(library: tuple[str, ...], doors: set[str]) -> None:
    touching = {str(path.relative_to(PLUGINS)) for path in PLUGINS.rglob("*.py") if any(module[: len(library)] == library for module in imports_of(path))}
    assert touching <= doors, f"{'.'.join(library)} is imported by {sorted(touching - doors)}, and is to be touched in {sorted(doors) or 'no file'} only"


def test_modules_do_not_import_each_other() -> None:
    found = [
        f"{path.name}: {'.'.join(module)}" for path in (PLUGINS / "modules").glob("*.py") for module in imports_of(path) if module[:2] == ("plugins", "modules")
    ]
    assert not found


@pytest.mark.parametrize(
    ("module", "pure"),
    [
        (("plugins", "module_utils", "_mesh", "labels"), True),
        (("plugins", "module_utils", "_k8s", "session"), False),
        (("plugins", "module_utils", "_aws", "errors"), False),
        (("plugins", "module_utils", "_aws", "tags"), True),
        (("urllib", "parse"), True),
        (("urllib", "request"), False),
        (("requests",), False),
        (("time",), False),
        (("ansible", "module_utils", "basic"), False),
    ],
)
def test_what_pure_means(module: tuple[str, ...], pure: bool) -> None:
    assert is_pure(module) is pure


# From the highest layer to the lowest: a file may import from its own layer and from those below.
LAYERS = (
    ("modules", "action", "filter", "lookup", "plugin_utils", "shell"),
    ("_inventory",),
    ("a noun's package",),
    ("_wait",),
    ("_status",),
    ("_managed_gateway",),
    ("_module",),
    ("_k8s", "_aws"),
    ("_mesh", "_limits"),
    ("a single file",),
)
LONGEST_MODULE = 450
LONGEST_FUNCTION = 60


def layer_of(module: tuple[str, ...]) -> int:
    """The number of a module's layer, 0 for the highest."""
    name = module[2] if module[1] == "module_utils" else module[1]
    kind = "a noun's package" if (UTILS / name).is_dir() and not any(name in layer for layer in LAYERS) else name
    return next((number for number, layer in enumerate(LAYERS) if kind in layer), len(LAYERS) - 1)


def own_imports(path: Path) -> set[tuple[str, ...]]:
    """The files of the collection that a file imports, for types as well."""
    return {module for module in imports_of(path) if module[0] == "plugins" and len(module) > 2}


SOURCES = sorted(PLUGINS.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_imports_lead_down(path: Path) -> None:
    here = ("plugins", *path.relative_to(PLUGINS).with_suffix("").parts)
    upward = [".".join(module[1:]) for module in own_imports(path) if layer_of(module) < layer_of(here)]
    assert not upward, f"{path.relative_to(PLUGINS)} imports from a layer above its own: {', '.join(upward)}"


def test_no_file_imports_itself_by_way_of_others() -> None:
    files = {("plugins", *path.relative_to(PLUGINS).with_suffix("").parts): path for path in SOURCES}
    graph = {module: {other for other in own_imports(path) if other in files} for module, path in files.items()}
    while leaves := [module for module, others in graph.items() if not others & graph.keys()]:
        for module in leaves:
            del graph[module]
    assert not graph, f"These files are part of a circle: {', '.join(sorted('.'.join(module[1:]) for module in graph))}"


@pytest.mark.parametrize("path", sorted((PLUGINS / "modules").glob("*.py")), ids=lambda path: path.stem)
def test_a_module_can_be_held_in_the_head(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_MODULE, f"{path.name} has {lines} lines, of which {LONGEST_MODULE} are allowed: a module with several nouns is several modules"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_a_function_fits_on_a_screen(path: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = [f"{node.name} ({lines})" for node in functions if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION]
    assert not long, f"{path.relative_to(PLUGINS)} has functions of more than {LONGEST_FUNCTION} lines: {', '.join(long)}"
