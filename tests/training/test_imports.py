"""The line of imports: training knows of runreport nothing but the artifact contract and the logger that writes it."""

import ast
from pathlib import Path

import training

ROOT = Path(training.__file__).parent
ALLOWED = {"torch", "numpy", "yaml", "rich", "training", "runreport"}
# Packages that one file needs, which imports them only when it is asked for what they are for.
ONLY_IN = {
    "rich": "progress.py",
    "pyarrow": "data/table.py",
    "h5py": "data/hdf5.py",
    "sklearn": "data/diabetes.py",
    "ray": "sweep/on_ray.py",
}


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
    assert of_runreport == {"runreport.artifacts", "runreport.logger"}
    roots = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert roots <= ALLOWED | set(ONLY_IN)


def test_optional_packages_are_imported_in_one_file_each_and_late() -> None:
    for package, file in ONLY_IN.items():
        paths = [path for path in ROOT.rglob("*.py") if any(n.split(".")[0] == package for n in _imported(path))]
        assert [path.relative_to(ROOT).as_posix() for path in paths] == [file]
        at_the_top: set[str] = set()
        for node in ast.parse(paths[0].read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                at_the_top |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                at_the_top.add(node.module or "")
        assert not any(name.split(".")[0] == package for name in at_the_top), package
