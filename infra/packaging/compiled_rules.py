"""A build hook of hatchling's: a wheel whose rules are machine code, made from the same files by mypyc.

Off unless `HATCH_BUILD_HOOK_ENABLE_CUSTOM=1` is set, as `make wheel` does. Such a wheel is of one platform and one
version of Python; the sources lie beside the compiled modules, which go first. Needs mypy and setuptools, and a C
compiler.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NotCompiled(Exception):
    """The rules could not be compiled."""


class CompiledRules(BuildHookInterface[BuilderConfig]):
    """Adds the compiled modules to a wheel. `modules` of its settings are patterns of files, seen from the root."""

    PLUGIN_NAME = "custom"
    _folder: "TemporaryDirectory[str] | None" = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles what goes into the wheel. An editable installation stays as it is written: its sources change.

        Raises NotCompiled with what mypyc or the C compiler said.
        """
        if version == "editable":
            return
        self._folder = TemporaryDirectory(prefix="evcs-compiled-")
        compiled = compile_modules(Path(self.root), self.config["modules"], Path(self._folder.name))
        build_data["infer_tag"] = True
        build_data["pure_python"] = False
        build_data["force_include"] |= {str(path): name for name, path in compiled.items()}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written."""
        if self._folder is not None:
            self._folder.cleanup()


def compile_modules(root: Path, patterns: list[str], folder: Path) -> dict[str, Path]:
    """The compiled modules by their place in the wheel: those of `patterns`, and one that all of them share.

    They are compiled in `folder`, beside copies of their packages, so that nothing compiled ever lies among the
    sources, where it would go before them when they are changed. Raises NotCompiled.
    """
    modules = sorted(
        path.relative_to(root) for pattern in patterns for path in root.glob(pattern) if path.name != "__init__.py"
    )
    for package in {module.parts[0] for module in modules}:
        shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    ran = subprocess.run(
        [sys.executable, "-m", "mypyc", *map(str, modules)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise NotCompiled(
            "the rules were not compiled; a C compiler, Python's headers, mypy and setuptools are needed:\n"
            + ran.stdout[-4000:]
        )
    built = [path for path in folder.rglob("*.so") if "build" not in path.relative_to(folder).parts]
    return {path.relative_to(folder).as_posix(): path for path in built}
