"""`make wheel`: the rules as machine code put out what they put out when they are interpreted."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from infra.bench.streams import measure
from infra.errors import OperatorError
from infra.packaging.compiled_rules import NotCompiled, compile_modules
from schemas.cluster import KafkaCluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[3]
HAS_COMPILER = shutil.which("cc") is not None and Path(sysconfig.get_path("include"), "Python.h").exists()
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="this machine has no C compiler, or no headers of Python")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `make wheel` makes it, but for the compiler's pains."""
    folder = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT],
        env={**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1", "MYPYC_OPT_LEVEL": "0"},
        check=True,
    )
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def packages(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the wheel, unpacked."""
    folder = tmp_path_factory.mktemp("packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def python(packages: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """An interpreter that finds the wheel's packages before the sources, and the tests."""
    environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-P", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def sources(folder: Path) -> set[str]:
    """The Python modules of the packages that the wheel holds."""
    return {
        path.relative_to(folder).as_posix()
        for package in ("streams", "schemas", "connectors", "infra")
        for path in (folder / package).rglob("*.py")
    }


@needs_compiler
def test_all_rules_are_compiled_and_all_sources_are_there(packages: Path) -> None:
    compiled = {path.name.split(".")[0] for path in (packages / "streams" / "domain").glob("*.so")}
    assert compiled == {path.stem for path in (ROOT / "streams" / "domain").glob("*.py")} - {"__init__"}
    assert sources(packages) == sources(ROOT)
    assert not list(ROOT.glob("*.so")), "nothing compiled lies among the sources"
    assert not list((ROOT / "streams").rglob("*.so"))


@needs_compiler
def test_the_rules_pass_their_tests_when_compiled(packages: Path) -> None:
    told = python(packages, "-c", "from streams.worker import rules_are_compiled as c; print(c())")
    assert told.stdout.strip() == "True", told.stderr
    ran = python(packages, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/streams/domain")
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert " passed" in ran.stdout


@needs_compiler
@pytest.mark.kafka
def test_a_worker_of_the_wheel_is_measured_beside_the_installed_one(kafka: KafkaCluster, wheel: Path) -> None:
    told: list[str] = []
    figures = measure(kafka, 300, 12, 1_000, 1, told.append, wheel)
    for name in ("ours", "compiled"):
        assert figures[f"{name}_per_s"] > 0  # type: ignore[operator]
        assert figures[f"{name}_to_stock"] > 0  # type: ignore[operator]
    assert figures["records"] == 3_600
    assert "compiled" in told[1]


@pytest.mark.kafka
def test_a_file_that_is_no_wheel_is_refused(kafka: KafkaCluster, tmp_path: Path) -> None:
    other = tmp_path / "some.whl"
    other.write_text("no archive")
    with pytest.raises(OperatorError, match=r"some\.whl is no wheel .*make wheel"):
        measure(kafka, 300, 12, 1_000, 1, lambda text: None, other)


def test_a_compiler_that_fails_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "root" / "rules"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "one.py").write_text("def one() -> int:\n    return 'one'\n")
    folder = tmp_path / "made"
    folder.mkdir()
    with pytest.raises(
        NotCompiled, match=r"a C compiler, Python's headers, mypy and setuptools are needed:\n(.|\n)*one\.py:2"
    ):
        compile_modules(tmp_path / "root", ["rules/*.py"], folder)


def test_the_modules_that_are_named_exist() -> None:
    hook = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
    for pattern in hook["custom"]["modules"]:
        assert list(ROOT.glob(pattern)), pattern
