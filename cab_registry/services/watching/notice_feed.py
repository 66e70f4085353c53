"""The notices of a watch as Atom (RFC 4287), the latest first."""

from __future__ import annotations

from typing import Any, Final

from cab_registry.services.feeds import BEFORE_ALL, MEDIA_TYPE, Feed, FeedEntry, FeedLink, write_atom
from cab_registry.services.watching.watches import NoticePage, NoticeShown
from cab_registry.storage.canonical import spell_instant

_REGISTRY: Final = "CAB Registry"


def render_notices(page: NoticePage, *, address: str) -> bytes:
    """Render notices as an Atom document in UTF-8; each keeps the id by which deliveries are told.

    Args:
        page: the notices.
        address: under which this feed is found.
    """
    entries = [_entry(each) for each in reversed(page.items)]
    return write_atom(
        Feed(
            id=f"urn:cab-registry:{page.watch}",
            title=f"Watch {page.watch}",
            updated=entries[0].updated if entries else BEFORE_ALL,
            links=(FeedLink("self", address, MEDIA_TYPE),),
            entries=entries,
        )
    )


def _entry(notice: NoticeShown) -> FeedEntry:
    told: dict[str, Any] = notice.event["data"]
    links = [FeedLink("alternate", each["address"], "text/html") for each in told["links"]]
    return FeedEntry(
        id=f"urn:uuid:{notice.id}",
        title=told["headline"],
        updated=spell_instant(notice.created),
        authors=(_REGISTRY,),
        links=links,
        lines=told["sentences"],
    )
