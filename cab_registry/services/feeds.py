"""Feeds as Atom (RFC 4287): one way to write them, and the feed of all changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

import msgspec

from cab_registry.services.history import History, HistoryEntry

ATOM: Final = "http://www.w3.org/2005/Atom"
MEDIA_TYPE: Final = "application/atom+xml"
BEFORE_ALL: Final = "1970-01-01T00:00:00Z"
"""The instant of what counts as recorded before everything."""

# XML 1.0 has no way to write these, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedLink(NamedTuple):
    """A link of a feed or an entry."""

    relation: str
    address: str
    media_type: str


class FeedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a feed.

    Attributes:
        id: never changes, and no other entry has it.
        title: a line.
        updated: the instant since which it reads so.
        authors: who made what it tells; at least one.
        links: where more is found.
        category: term and scheme.
        lines: the text.
    """

    id: str
    title: str
    updated: str
    authors: Sequence[str]
    links: Sequence[FeedLink] = ()
    category: tuple[str, str] | None = None
    lines: Sequence[str] = ()


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed with its entries, the latest first."""

    id: str
    title: str
    updated: str
    links: Sequence[FeedLink]
    subtitle: str = ""
    entries: Sequence[FeedEntry] = ()


def make_id(log: str, *parts: str) -> str:
    """Make an id that stays the same for ever: of the log's id, and of what tells it from others."""
    return f"urn:uuid:{uuid5(UUID(log), ' '.join(parts))}"


def write_atom(feed: Feed) -> bytes:
    """Write a feed as an Atom document in UTF-8."""
    register_namespace("", ATOM)
    root = Element(_tag("feed"))
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    if feed.subtitle:
        _text(root, "subtitle", feed.subtitle)
    _text(root, "updated", feed.updated)
    for link in feed.links:
        _link(root, link)
    for entry in feed.entries:
        _add(root, entry)
    rendered: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return rendered


def render_atom(history: History, *, title: str, base_address: str, self_address: str) -> bytes:
    """Render a page of changes as an Atom document in UTF-8.

    Entries keep their id for ever: it is made of the log's id and the position. The latest comes first.

    Args:
        history: the page.
        title: title of the feed.
        base_address: where the API is served, as `https://registry.example`.
        self_address: the address under which this page was asked for.
    """
    base = base_address.rstrip("/")
    latest = next((each.recorded for each in reversed(history.entries) if each.recorded), None)
    return write_atom(
        Feed(
            id=make_id(history.log, self_address.partition("#")[0]),
            title=title,
            updated=latest or history.recorded or BEFORE_ALL,
            links=(FeedLink("self", self_address, MEDIA_TYPE),),
            entries=[_entry(each, history.log, base) for each in reversed(history.entries)],
        )
    )


def link_submission(base: str, submission: str) -> FeedLink:
    """Return the link to a submission."""
    return FeedLink("alternate", f"{base}/v1/submissions/{quote(submission, safe='')}", "application/json")


def _entry(entry: HistoryEntry, log: str, base: str) -> FeedEntry:
    links = [link_submission(base, entry.submission)]
    if entry.body is not None:
        address = f"{base}/v1/bodies/{quote(entry.body.id, safe='')}/history"
        links.append(FeedLink("related", address, "application/json"))
    return FeedEntry(
        id=make_id(log, str(entry.position)),
        title=f"{entry.title} ({entry.change})",
        updated=entry.recorded or BEFORE_ALL,
        authors=(entry.authority.name,),
        links=links,
        category=(entry.type, f"{base}/v1/schemas"),
        lines=[*entry.words, *([f"Reason: {entry.public_reason}"] if entry.public_reason else [])],
    )


def _add(root: Element, entry: FeedEntry) -> None:
    node = SubElement(root, _tag("entry"))
    _text(node, "id", entry.id)
    _text(node, "title", entry.title)
    _text(node, "updated", entry.updated)
    for name in entry.authors:
        _text(SubElement(node, _tag("author")), "name", name)
    for link in entry.links:
        _link(node, link)
    if entry.category is not None:
        term, scheme = entry.category
        SubElement(node, _tag("category"), term=term, scheme=scheme)
    _text(node, "summary", "\n".join(entry.lines))


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _text(parent: Element, name: str, value: str) -> None:
    SubElement(parent, _tag(name)).text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)


def _link(parent: Element, link: FeedLink) -> None:
    href = _NO_XML.sub("", link.address)
    SubElement(parent, _tag("link"), rel=link.relation, href=href, type=link.media_type)
