"""The file of the audit log: each line is there as a whole or waits, and nothing but a plain file is touched."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections import deque
from pathlib import Path
from typing import Final

from concurrent_log_handler import ConcurrentRotatingFileHandler

MOST_WAITING: Final = 10_000
"""Lines that wait for a file that cannot be written; what is beyond them is lost, the oldest first."""


class AuditFile(ConcurrentRotatingFileHandler):
    """Appends lines to a file that several processes share, and begins a new one when it is full.

    Attributes:
        fault: why the last line could not be written; none where it was.
        lost: lines that will never be written.
    """

    def __init__(self, path: Path, *, most_bytes: int, files: int) -> None:
        """Make the handler; what it creates is for the user of this process alone.

        Raises:
            OSError: the file cannot be written, or is not a plain file.
        """
        check_file(path)
        super().__init__(str(path), maxBytes=most_bytes, backupCount=files, umask=0o077)
        self.fault: str | None = None
        self.lost = 0
        self._lines: deque[bytes] = deque()
        self._try()
        if self.fault is not None:
            raise OSError(self.fault)

    @property
    def unwritten(self) -> int:
        """How many lines are not in the file: those that wait for it, and those that were lost."""
        return len(self._lines) + self.lost

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, behind those that wait."""
        self._lines.append((self.format(record) + self.terminator).encode())
        if len(self._lines) > MOST_WAITING:
            self._lines.popleft()
            self.lost += 1
        super().emit(record)

    def do_write(self, msg: str) -> None:
        """Write what waits; the message is the last of it."""
        del msg
        if self.stream is None or self.stream.closed:
            self.stream = self.do_open()
        while self._lines:
            _append(self.stream.fileno(), self._lines[0])
            self._lines.popleft()
        self.fault = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Keep why a line could not be written."""
        del record
        self._note(sys.exc_info()[1])

    def works(self) -> bool:
        """Whether what is recorded now will be written, as far as can be known; tries what failed before."""
        if self.fault is not None:
            self.acquire()
            try:
                self._try()
            finally:
                self.release()
        return self.fault is None

    def _try(self) -> None:
        try:
            try:
                self._do_lock()
                self.do_write("")
            finally:
                self._do_unlock()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was written
            self._note(error)

    def _note(self, error: BaseException | None) -> None:
        self.fault = getattr(error, "strerror", None) or type(error).__name__


def check_file(path: Path) -> None:
    """Create the file where there is none.

    Raises:
        OSError: it cannot be written, or is not a plain file, which is left as it is.
    """
    place = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise OSError("it is not a plain file")
    finally:
        os.close(place)


def _append(place: int, line: bytes) -> None:
    """Append a line as a whole, or nothing of it; others are kept out by the lock."""
    before = os.fstat(place).st_size
    try:
        while line:
            line = line[os.write(place, line) :]
    except OSError:
        os.ftruncate(place, before)
        raise
