"""What is installed: every package and every data file, under our two names and no other."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from cab_registry import __version__

CHECKOUT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
LOCKS = sorted((CHECKOUT / "requirements").glob("*.txt"))


def packages_on_disk() -> set[str]:
    found = set()
    for package, folder in FOLDERS.items():
        for marker in (CHECKOUT / folder).rglob("__init__.py"):
            below = marker.parent.relative_to(CHECKOUT / folder).parts
            found.add(".".join((package, *below)))
    return found


@pytest.fixture(scope="module")
def installed_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the wheel would put into site-packages; built from a copy, so that nothing is left in the checkout."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    for folder in {Path(folder).parts[0] for folder in FOLDERS.values()}:
        shutil.copytree(CHECKOUT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        if (CHECKOUT / file).exists():
            shutil.copy(CHECKOUT / file, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "-w", str(work), str(source)], check=True, cwd=work)
    (wheel,) = work.glob("*.whl")
    assert f"-{__version__}-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_package_is_listed() -> None:
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages_on_disk()


def test_nothing_but_our_two_names_is_installed(installed_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in installed_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cab_registry", "cab_cli"}


def test_every_file_that_the_program_reads_is_installed(installed_names: set[str]) -> None:
    wanted = set()
    for package, folder in FOLDERS.items():
        inside = package.replace(".", "/")
        for file in (CHECKOUT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix not in {".pyc", ".md"}:
                wanted.add(f"{inside}/{file.relative_to(CHECKOUT / folder).as_posix()}")
    assert sorted(wanted - installed_names) == []


def test_the_command_starts_and_tells_its_version() -> None:
    (command,) = (found for found in entry_points(group="console_scripts") if found.name == "cab")
    assert command.value == "cab_cli.main:run"
    told = subprocess.run([sys.executable, "-c", "import cab_cli.main; cab_cli.main.run()", "--version"],
                          check=True, capture_output=True, text=True)  # fmt: skip
    assert told.stdout.split()[-1] == __version__


def test_the_light_client_needs_nothing_of_the_server(tmp_path: Path) -> None:
    """Importing the command line must not import what only the extra `server` brings."""
    extra = [re.split(r"[\[<>=]", name)[0] for name in PROJECT["project"]["optional-dependencies"]["server"]]
    modules = [name.replace("-", "_") for name in extra]
    text = f"""
import sys
for name in {modules!r}:
    sys.modules[name] = None
import cab_cli.main
"""
    subprocess.run([sys.executable, "-c", text], check=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_locks_are_pinned_hashed_and_name_no_place(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://|^\s*--(?!hash)|(?<![\w.])/\w+/|#", text, re.MULTILINE)
    requirements = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert requirements
    assert all(re.match(r"[a-z0-9.-]+(\[[a-z0-9,-]+\])?==\S+( ; .+)? \\$", line) for line in requirements)
    assert text.count(" \\\n") >= len(requirements)


def test_one_version_of_each_package_in_all_locks() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9.-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", lock.read_text(), re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_build_backend_is_locked() -> None:
    backend = PROJECT["build-system"]["requires"][0].split(">")[0]
    assert re.search(rf"^{backend}==", (CHECKOUT / "requirements" / "build.txt").read_text(), re.MULTILINE)
