"""The chain of acts, checked act by act from stored bytes: pure, so that a mirror or an offline verifier can run it."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from cab_registry.storage.acts.act import ACT_FORMAT, Act, act_hash, acts_genesis
from cab_registry.storage.canonical import canonical_bytes
from cab_registry.storage.chain import LogFault


class ActWalk:
    """A walk over all acts in order of position, from the first.

    Attributes:
        position: of the last act walked over; zero before the first.
        last_hash: what the next act must name as the one before it.
    """

    def __init__(self, log_id: str) -> None:
        self.position = 0
        self.last_hash = acts_genesis(log_id)
        self._log_position = 0
        self._recorded: datetime | None = None

    def step(self, act: Act, log_hash: bytes | None) -> Iterator[LogFault]:
        """Give what is wrong with the next act, and go on behind it.

        Args:
            act: as stored.
            log_hash: of the entry at the position of the log that the act names; none where there is no such entry.
        """
        for message in (*_content(act), *self._order(act)):
            yield LogFault("act", act.position, act.subject, message)
        if act.log_hash != log_hash:
            message = f"names another end of the log than the entry at position {act.log_position}"
            yield LogFault("act", act.position, act.subject, message)
        self.position, self.last_hash = act.position, act.act_hash
        self._recorded, self._log_position = act.recorded, act.log_position

    def _order(self, act: Act) -> Iterator[str]:
        if act.position != self.position + 1:
            yield f"follows act {self.position}: acts are missing between them"
        if act.previous_hash != self.last_hash:
            yield "does not continue the chain: the act before is not the one that it names"
        if act.log_position < self._log_position:
            yield "names an earlier end of the log than the act that it follows"
        if self._recorded is not None and act.recorded <= self._recorded and act.kind != "clock_corrected":
            yield "was recorded no later than the act that it follows"


def _content(act: Act) -> Iterator[str]:
    if act.format != ACT_FORMAT:
        yield f"has the unknown format {act.format}"
    try:
        if act_hash(act) != act.act_hash:
            yield "is not the one that was hashed"
        act.rows()
        if canonical_bytes(msgspec.json.decode(act.content)) != act.content:
            yield "its content is not canonical"
    except (msgspec.DecodeError, ValueError) as fault:
        yield f"cannot be read: {fault}"
