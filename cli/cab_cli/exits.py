"""With what number the command ends: one enumeration for all commands, so that a script can branch on it."""

import enum
from typing import Self


class Exit(enum.IntEnum):
    """The exit codes of `cab`. Three and above say how a question was answered, or why it was not."""

    DONE = 0, "done; for a question: accepted"
    FAILURE = 1, "it was done, and something is wrong: a case missed, a fault in the catalogue, a log that fails proof"
    REFUSED = 2, "the command line, a file, the question or a submission cannot be taken; every fault is listed"
    NOT_ACCEPTED = 3, "answered: not accepted"
    NOT_COVERED = 4, "answered: not covered by any route"
    CANNOT_TELL = 5, "answered: a fact that decides is missing"
    CONFLICT = 6, "a record was changed by somebody else; nothing of theirs was overwritten"
    UNAVAILABLE = (
        7,
        "the database or the server cannot serve now; the same call may succeed later",
    )
    ACCEPTED_WITH_CONDITIONS = 8, "answered: accepted, with conditions to fulfil"

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """Make a member that carries its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


def exit_of_verdict(verdict: str) -> Exit:
    """Give the exit code that belongs to a verdict."""
    return Exit.DONE if verdict == "accepted" else Exit[verdict.upper()]


def exits_in_words() -> str:
    """Write every code with its meaning, one a line, for the help text."""
    return "\n\n".join(f"  {member.value}  {member.meaning}" for member in Exit)
