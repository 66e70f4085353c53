"""What was done to accounts, in words and short enough for a line."""

from typing import Any


def say_act(act: dict[str, Any]) -> str:
    """Say what was done, with the role or outcome that it is about."""
    details = act["details"]
    about = details.get("role") or ", ".join(details.get("roles", [])) or details.get("outcome") or details.get("why")
    return f"{act['kind']}: {about}" if about else str(act["kind"])


def say_instant(instant: str | None) -> str | None:
    """Write an instant to the minute, in UTC as it is sent."""
    return None if instant is None else instant[:16].replace("T", " ")
