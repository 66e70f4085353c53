"""A PostgreSQL server of our own, for `make run` and for the tests: found, made, started, adopted, stopped.

A *kept* server has its data in a folder that outlives the process, writes it safely and is stopped gently. One process
owns it, by a lock that the kernel gives back when that process ends; another that wants the same folder meanwhile uses
the running server and leaves it alone; one that comes after a killed owner adopts the server it left running.

A *throw-away* server has its data in a temporary folder, is quick because nothing of it must survive, and ends with its
process however that ends: a small watcher waits on a pipe that breaks with it.
"""

import atexit
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import msgspec

from cab_registry.storage.cluster_host import (
    Account,
    Binaries,
    ClusterError,
    default_folder,
    find_binaries,
    give,
    reachable,
    run,
    server_account,
    spawn,
    temporary_folder,
    usable_by,
)

__all__ = ["Binaries", "Cluster", "ClusterError", "Postmaster", "find_binaries", "find_postmaster", "kept_folder"]

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.02
LONGEST_SOCKET_FOLDER = 80
ROOM_IN_MEMORY = 4 * 1024**3
SAFE_SOCKET_FOLDER = re.compile(r"[\w./-]+")
PROCESSES = Path("/proc")
# Waits until our end of the pipe is closed, then ends the server and removes its folder.
WATCHER = """
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
rm -rf "$1"
"""


class Postmaster(msgspec.Struct, frozen=True):
    """A running server, as its own file postmaster.pid tells."""

    pid: int
    port: int
    socket_folder: Path
    ready: bool


def kept_folder(folder: Path | None) -> Path:
    """The folder of a kept server: the one that is named, else the one that belongs to this checkout."""
    return folder.expanduser().absolute() if folder else default_folder(server_account())


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on this data folder, if one does; a file left behind by a dead one counts for nothing."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, port, folder = int(lines[0]), int(lines[3]), Path(lines[4])
    except (OSError, ValueError, IndexError):
        return None
    if not _works_in(pid, data):
        return None
    status = lines[7].strip() if len(lines) > 7 else ""
    return Postmaster(pid, port, folder, ready=status == "ready")


class Cluster:
    """One server. Make it with `kept` or `throwaway`, then start and stop it, or use it in a `with` statement."""

    def __init__(self, folder: Path | None, binaries: Binaries, account: Account | None, *, lasting: bool) -> None:
        self.lasting = lasting
        self.adopted = False
        self.shared = False
        self._folder = folder
        self._origin = binaries
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._server: Postmaster | None = None
        self._lock: int | None = None
        self._maker = os.getpid()

    @classmethod
    def kept(cls, folder: Path | None, binaries: Binaries) -> Self:
        """A server whose data stays in the folder; without a folder, in the one that belongs to this checkout."""
        return cls(kept_folder(folder), binaries, server_account(), lasting=True)

    @classmethod
    def throwaway(cls, binaries: Binaries) -> Self:
        """A server of which nothing stays."""
        return cls(None, binaries, server_account(), lasting=False)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def server(self) -> Postmaster:
        """The running server; a ClusterError when it was not started."""
        if self._server is None:
            raise ClusterError("The server was not started.")
        return self._server

    @property
    def folder(self) -> Path:
        """The folder of this server: its data, its log, its socket."""
        if self._folder is None:
            raise ClusterError("A throw-away server has no folder before it is started.")
        return self._folder

    @property
    def log(self) -> Path:
        """What the server wrote since it was started."""
        return self.folder / "log"

    @property
    def description(self) -> str:
        """Which server this is, in one line."""
        manner = "kept in" if self.lasting else "thrown away after use, in"
        place = f"{manner} {self._folder}" if self._folder else "to be thrown away after use"
        if self._server is None:
            return f"{self._origin.source}, {place}, not running"
        history = ", found running and adopted" if self.adopted else ", shared with the process that started it"
        return (
            f"{self._origin.source}, {place}, at 127.0.0.1:{self._server.port}"
            f"{history if self.adopted or self.shared else ''}"
        )

    def url(self, database: str = "postgres", *, through_socket: bool = False) -> str:
        """The address of a database of this server for SQLAlchemy, over TCP or through the server's socket."""
        server = self.server
        user = f"postgres:{self._password()}" if self.lasting else "postgres"
        name = quote(database, safe="")
        if through_socket:
            host = quote(str(server.socket_folder), safe="")
            return f"postgresql+asyncpg://{user}@/{name}?host={host}&port={server.port}"
        return f"postgresql+asyncpg://{user}@127.0.0.1:{server.port}/{name}"

    def start(self) -> Self:
        """Have the server running and ready, and see to it that it ends with this process."""
        if self._server is not None:
            return self
        self._maker = os.getpid()
        atexit.register(self.stop)
        try:
            if self.lasting:
                self._start_kept()
            else:
                self._folder = temporary_folder(self._account, room=ROOM_IN_MEMORY)
                watch = ["/bin/sh", "-c", WATCHER, "watcher", str(self.folder)]
                self._watcher = spawn(watch, self._account, self.log, stdin=subprocess.PIPE)
                self._launch(self._initialised())
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server, unless another process owns it. A kept one writes everything first."""
        if self._maker != os.getpid():
            return
        atexit.unregister(self.stop)
        server, self._server = self._server, None
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if not self.shared:
            self._end(server)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if not self.lasting and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self.adopted = self.shared = False

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _start_kept(self) -> None:
        self._make_folder()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._claim():
                if find_postmaster(self._data) is None:
                    self._launch(self._initialised())
                else:
                    self._server = self._await_ready(deadline)
                    self.adopted = True
                return
            found = find_postmaster(self._data)
            if found is not None and found.ready:
                self._server, self.shared = found, True
                return
            time.sleep(PAUSE_SECONDS)
        raise ClusterError(f"Another process holds {self.folder}, but no server runs on it. See {self.log}.")

    def _make_folder(self) -> None:
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True)
            give(self.folder, self._account)
        if not reachable(self.folder, self._account):
            name = self._account.name if self._account else "this account"
            raise ClusterError(
                f"The server runs as {name}, which cannot reach {self.folder}. Name another folder in CAB_DATA_FOLDER."
            )

    def _claim(self) -> bool:
        lock = os.open(self.folder / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def _initialised(self) -> Binaries:
        """Make the data folder if there is none, and give back the programs that the account can run."""
        programs = usable_by(self._origin, self._account)
        if (self._data / "PG_VERSION").exists():
            made_by = int((self._data / "PG_VERSION").read_text().partition(".")[0])
            if made_by != programs.major:
                raise ClusterError(
                    f"The data in {self.folder} was made by PostgreSQL {made_by}, and {self._origin.source} cannot "
                    f"read it. Name programs of version {made_by} in CAB_PG_BIN, or another folder in CAB_DATA_FOLDER."
                )
            self._clear_stale()
            return programs
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        give(unfinished, self._account)
        command = [str(programs.folder / "initdb"), "-D", str(unfinished), "-U", "postgres", "-E", "UTF8"]
        if self.lasting:
            password = self.folder / "password"
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(18))
            give(password, self._account)
            command += ["--auth=scram-sha-256", f"--pwfile={password}"]
        else:
            command += ["--auth=trust", "--no-sync"]
        made = run(command, self._account)
        if made.returncode != 0:
            raise ClusterError(f"initdb failed with {self._origin.source}:\n{made.stdout}")
        unfinished.rename(self._data)
        return programs

    def _clear_stale(self) -> None:
        """Remove a postmaster.pid that names a process which is not the server, once nothing works in the folder."""
        stale = self._data / "postmaster.pid"
        if not stale.exists() or not PROCESSES.is_dir():
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(_works_in(int(entry.name), self._data) for entry in PROCESSES.glob("[0-9]*")):
            if time.monotonic() > deadline:
                raise ClusterError(f"Processes of a server that died still work in {self._data}.")
            time.sleep(PAUSE_SECONDS)
        stale.unlink(missing_ok=True)

    def _launch(self, programs: Binaries) -> None:
        if self.log.exists():
            self.log.replace(self.folder / "log.previous")
        for _ in range(5):
            command = [str(programs.folder / "postgres"), "-D", str(self._data)]
            for setting in self._configuration():
                command += ["-c", setting]
            self._process = spawn(command, self._account, self.log)
            try:
                self._server = self._await_ready(time.monotonic() + PATIENCE_SECONDS)
            except ClusterError:
                # Between finding a free port and taking it, somebody else may have taken it.
                if "could not bind" not in self.log.read_text(errors="replace"):
                    raise
                self._end(None)
                self.log.unlink()
            else:
                return
        raise ClusterError("No free port could be taken on 127.0.0.1.")

    def _configuration(self) -> list[str]:
        durable = ["fsync=on"] if self.lasting else ["fsync=off", "full_page_writes=off"]
        return [
            "listen_addresses=127.0.0.1",
            f"port={_free_port()}",
            f"unix_socket_directories={self._socket_folder()}",
            "timezone=UTC",
            "log_timezone=UTC",
            "logging_collector=off",
            *durable,
        ]

    def _socket_folder(self) -> Path:
        folder = self.folder / "socket"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or not SAFE_SOCKET_FOLDER.fullmatch(str(folder)):
            return temporary_folder(self._account)
        folder.mkdir(mode=0o700, exist_ok=True)
        give(folder, self._account)
        return folder

    def _await_ready(self, deadline: float) -> Postmaster:
        while time.monotonic() < deadline:
            found = find_postmaster(self._data)
            if found is not None and found.ready and (self._process is None or found.pid == self._process.pid):
                return found
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(PAUSE_SECONDS)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:]) if self.log.exists() else ""
        raise ClusterError(f"The server did not come up with {self._origin.source}:\n{tail}")

    def _end(self, server: Postmaster | None) -> None:
        process, self._process = self._process, None
        if process is not None:
            for way in (signal.SIGINT, signal.SIGQUIT) if self.lasting else (signal.SIGQUIT,):
                process.send_signal(way)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=PATIENCE_SECONDS)
                    break
        elif server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGINT if self.lasting else signal.SIGQUIT)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while find_postmaster(self._data) is not None and time.monotonic() < deadline:
                time.sleep(PAUSE_SECONDS)
        if server is not None and server.socket_folder.parent != self.folder:
            shutil.rmtree(server.socket_folder, ignore_errors=True)


def _works_in(pid: int, data: Path) -> bool:
    """Whether a live process has this data folder as its own, as every process of a server has."""
    try:
        if PROCESSES.is_dir():
            return (PROCESSES / str(pid) / "cwd").readlink() == data.resolve()
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
