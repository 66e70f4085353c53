"""Every lock installs the same when the index has newer releases of everything."""

import base64
import csv
import ensurepip
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[1]
LOCKS = CHECKOUT / "requirements"
NEWER = "99999"

INSTALLED_TOGETHER = {
    "pip": ["pip"],
    "client": ["client"],
    "service": ["server", "embedded", "build"],
    "development": ["dev", "build"],
}
"""What the Makefile, the checks and the Dockerfile hand to one call of pip."""


def pins(lock: str) -> list[tuple[Requirement, str]]:
    """The pinned requirements of a lock that are wanted on this machine, each with its line."""
    found = []
    for line in (LOCKS / f"{lock}.txt").read_text().splitlines():
        if line and not line.startswith(" "):
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                found.append((requirement, line))
    return found


def needs_of(name: str) -> list[str]:
    """What the real release says that it needs, extras included, as the index would tell it."""
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        assert name == "pip", f"{name} is locked and not installed: run make setup"
        return []
    wanted = [f"Requires-Dist: {need}" for need in metadata.get_all("Requires-Dist") or []]
    return wanted + [f"Provides-Extra: {extra}" for extra in metadata.get_all("Provides-Extra") or []]


def write_wheel(folder: Path, name: str, version: str, needs: list[str]) -> str:
    """Write a wheel that holds nothing but its metadata; return its digest."""
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{version}"
    metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *needs, ""])
    files = {
        f"{stem}.dist-info/METADATA": metadata,
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = io.StringIO()
    rows = csv.writer(record)
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(text)])
    rows.writerow([f"{stem}.dist-info/RECORD", "", ""])
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{stem}.dist-info/RECORD": record.getvalue()}.items():
            archive.writestr(path, text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder that offers each locked release and a newer one of everything; digests of the locked ones by name."""
    folder = tmp_path_factory.mktemp("index")
    digests = {}
    for lock in sorted({name for together in INSTALLED_TOGETHER.values() for name in together}):
        for requirement, _ in pins(lock):
            if requirement.name not in digests:
                (specifier,) = requirement.specifier
                needs = needs_of(requirement.name)
                digests[requirement.name] = write_wheel(folder, requirement.name, specifier.version, needs)
                write_wheel(folder, requirement.name, NEWER, needs)
    return folder, digests


def rehash(lock: str, digests: dict[str, str], folder: Path) -> Path:
    """The lock with the same lines, and the digests of the empty wheels in place of the real ones."""
    lines = [f"{line}\n    --hash=sha256:{digests[requirement.name]}\n" for requirement, line in pins(lock)]
    file = folder / f"{lock}.txt"
    file.write_text("".join(lines))
    return file


def bundled_pip() -> str:
    """The pip that this Python brings, which is what a new environment has."""
    (wheel,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    return f"{wheel}/pip"


@pytest.mark.parametrize("together", INSTALLED_TOGETHER)
@pytest.mark.parametrize("pip", ["locked", "bundled"])
def test_a_lock_resolves_to_itself_when_the_index_has_moved(
    index: tuple[Path, dict[str, str]], tmp_path: Path, together: str, pip: str
) -> None:
    folder, digests = index
    command = [sys.executable, *(["-m", "pip"] if pip == "locked" else [bundled_pip()]), "--isolated"]
    command += ["--disable-pip-version-check", "install", "--dry-run", "--ignore-installed", "--no-cache-dir"]
    command += ["--no-index", "--find-links", str(folder), "--require-hashes"]
    for lock in INSTALLED_TOGETHER[together]:
        command += ["-r", str(rehash(lock, digests, tmp_path))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (told,) = (line for line in ran.stdout.splitlines() if line.startswith("Would install"))
    assert NEWER not in told
    expected = {requirement.name for lock in INSTALLED_TOGETHER[together] for requirement, _ in pins(lock)}
    assert len(told.split()) - 2 == len(expected)


def test_every_lock_is_tried() -> None:
    assert {file.stem for file in LOCKS.glob("*.txt")} == {
        name for names in INSTALLED_TOGETHER.values() for name in names
    }


def test_each_extra_of_the_project_has_a_lock_that_holds_it() -> None:
    """What an extra asks for with extras of its own is kept in the lock as it was asked for."""
    text = "".join(file.read_text() for file in LOCKS.glob("*.txt"))
    for needed in distribution("cab-registry").requires or []:
        requirement = Requirement(needed)
        for extra in requirement.extras:
            assert re.search(rf"^{re.escape(requirement.name)}\[[^]]*{re.escape(extra)}", text, re.MULTILINE), needed


def test_markers_of_the_locks_name_nothing_but_the_machine() -> None:
    for lock in LOCKS.glob("*.txt"):
        for line in lock.read_text().splitlines():
            if " ; " in line:
                assert "extra" not in str(Marker(line.rstrip(" \\").split(" ; ")[1]))


def test_each_line_of_a_lock_is_a_version_with_its_digests_and_names_no_index() -> None:
    for lock in LOCKS.glob("*.txt"):
        text = lock.read_text().replace("\\\n", " ")
        assert "://" not in text, lock.name
        for line in text.splitlines():
            assert re.fullmatch(r"[\w.\[\],-]+==[\w.+!]+(?: ; [^#]+?)?(?:\s+--hash=sha256:[0-9a-f]{64})+", line), line


def test_one_command_renews_every_lock() -> None:
    """What it would run is read here; to run it needs an index."""
    ran = subprocess.run(["make", "-n", "renew"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    compiled = re.findall(r"uv pip compile (.*?) -o requirements/(\w+)\.txt", ran.stdout.replace("\\\n", " "))
    assert {name for _, name in compiled} == {lock.stem for lock in LOCKS.glob("*.txt")}
    for options, name in compiled:
        assert {"--upgrade", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"} <= {
            *options.split()
        }, name
