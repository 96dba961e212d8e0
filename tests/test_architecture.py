"""Imports run one way, runreport never loads torch, and no file knows the machine it was written on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

OUTER = ("analysis", "advice", "compare", "criteria", "report", "gate", "verify", "watch", "api", "cli")
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "artifacts": ("ingest", "run", "context", "metrics", "statistics", "rules", "selection", "findings", *OUTER),
    "ingest": ("context", "metrics", "statistics", "rules", "selection", "findings", *OUTER),
    "engines": ("context", "statistics", "rules", "selection", "findings", *OUTER),
    "metrics": ("ingest", "run", "context", "statistics", "rules", "selection", "findings", *OUTER),
    "statistics": ("ingest", "run", "context", "rules", "selection", "findings", *OUTER),
    "rules": ("ingest", *OUTER),
    "selection": ("rules", "findings", *OUTER),
    "criteria": ("analysis", "advice", "compare", "report", "gate", "verify", "watch", "api", "cli"),
    "advice": ("compare", "report", "gate", "verify", "watch", "api", "cli"),
    "compare": ("report", "gate", "verify", "watch", "api", "cli"),
    "analysis": ("compare", "report", "gate", "verify", "watch", "api", "cli"),
    "report": ("gate", "verify", "watch", "api", "cli"),
    "gate": ("verify", "watch", "api", "cli"),
    "verify": ("gate", "watch", "api", "cli"),
    "watch": ("gate", "verify", "api", "cli"),
}
"""Package -> what it must not import: what stands to its right in CONTRIBUTING's line."""
ROOT = Path(__file__).resolve().parent.parent
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".j2", ".cfg", ".sh", ".csv", ".json", ".svg", ""}
GENERATED = {
    ".git",
    ".venv",
    ".venv-adapters",
    ".venv-bench",
    ".venv-cluster",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "build",
    "dist",
}


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, package
    return found


def imports(path: Path, *, loaded_only: bool = False) -> Iterator[str]:
    """Every module that a file imports, absolute, also inside functions; without ``if TYPE_CHECKING`` if loaded_only."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]

    def walk(node: ast.AST) -> Iterator[str]:
        if loaded_only and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    yield from walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(f"runreport/{package}")
        for name in imports(path, loaded_only=True)
        for other in FORBIDDEN[package]
        if name == f"runreport.{other}" or name.startswith(f"runreport.{other}.")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["metrics", "statistics"])
def test_numbers_need_nothing_of_the_rest(package: str) -> None:
    allowed = ("runreport.metrics", "runreport.statistics", "runreport.errors")
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(f"runreport/{package}")
        for name in imports(path)
        if name.startswith("runreport.") and not name.startswith(allowed)
    ]
    assert wrong == []


def test_training_knows_the_artifact_contract_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("training")
        for name in imports(path)
        if name.split(".")[0] == "runreport" and not re.match(r"runreport(\.artifacts|\.logger)?(\.|$)", name)
    ]
    assert wrong == []
    bare = [path for path in modules("training") for name in imports(path) if name == "runreport"]
    assert bare == []


def test_the_artifact_contract_needs_the_standard_library_only() -> None:
    import sys

    names = {n.split(".")[0] for path in modules("runreport/artifacts") for n in imports(path)}
    # pyarrow, to write Parquet, is imported inside the one function that does.
    assert names - set(sys.stdlib_module_names) - {"runreport"} == {"pyarrow"}


def test_runreport_never_imports_torch_or_training() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("runreport")
        for name in imports(path)
        if name.split(".")[0] in ("torch", "training", "tests")
    ]
    assert wrong == []


def test_the_library_does_not_print() -> None:
    """Printing happens at the edge: in the commands, and nowhere else."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("runreport")
        if "cli" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def text_files() -> list[Path]:
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file()
        and path.suffix in TEXT
        and not GENERATED & set(path.relative_to(ROOT).parts)
        and not any(part.endswith(".egg-info") for part in path.parts)
        and path.stat().st_size < 2_000_000
    ]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    # Put together here so that this file does not hold what it looks for.
    patterns = [r"(?<![\w.])/" + name + r"/[\w.-]" for name in ("work", "home", "root", "Users")] + [
        r"(?<![\w.])/" + "tmp/"
    ]
    wrong = []
    for path in text_files():
        text = path.read_bytes().decode("utf-8", "replace")
        wrong += [f"{path.relative_to(ROOT)}: {m[0]}" for p in patterns for m in re.finditer(p, text)]
    assert wrong == []


def test_files_stay_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for folder in ("runreport", "training")
        for path in modules(folder)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    ]
    assert long == []


@pytest.mark.parametrize("folder", ["runreport", "training", "tests"])
def test_nothing_is_left_to_do(folder: str) -> None:
    words = ("TO" + "DO", "FIX" + "ME", "X" + "XX:", "raise NotImplemented" + "Error")
    wrong = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in modules(folder)
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert wrong == []
