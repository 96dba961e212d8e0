"""The line of imports: training knows of runreport nothing but the artifact contract."""

import ast
from pathlib import Path

import training

ROOT = Path(training.__file__).parent
ALLOWED = {"torch", "numpy", "yaml", "rich", "training", "runreport"}


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            names.add(node.module or "")
    return names


def test_training_imports_only_the_contract_and_its_few_packages() -> None:
    import sys

    imported = {name: path for path in ROOT.rglob("*.py") for name in _imported(path)}
    assert "runreport.artifacts" in imported
    of_runreport = {name for name in imported if name.split(".")[0] == "runreport"}
    assert of_runreport == {"runreport.artifacts"}
    roots = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert roots <= ALLOWED


def test_rich_is_imported_only_where_it_is_drawn_with() -> None:
    using = {path.name for path in ROOT.rglob("*.py") if any(n.split(".")[0] == "rich" for n in _imported(path))}
    assert using == {"progress.py"}
