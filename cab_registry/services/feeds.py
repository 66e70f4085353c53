"""The feed of changes as Atom (RFC 4287)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from cab_registry.services.history import History, HistoryEntry

ATOM: Final = "http://www.w3.org/2005/Atom"
MEDIA_TYPE: Final = "application/atom+xml"

# XML 1.0 has no way to write these, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEFORE_ALL: Final = "1970-01-01T00:00:00Z"


def render_atom(history: History, *, title: str, base_address: str, self_address: str) -> bytes:
    """Render a page of changes as an Atom document in UTF-8.

    Entries keep their id for ever: it is made of the log's id and the position. The latest comes first.

    Args:
        history: the page.
        title: title of the feed.
        base_address: where the API is served, as `https://registry.example`.
        self_address: the address under which this page was asked for.
    """
    register_namespace("", ATOM)
    feed = Element(_tag("feed"))
    _text(feed, "id", f"urn:uuid:{uuid5(UUID(history.log), self_address.partition('#')[0])}")
    _text(feed, "title", title)
    latest = next((each.recorded for each in reversed(history.entries) if each.recorded), None)
    _text(feed, "updated", latest or history.recorded or _BEFORE_ALL)
    _link(feed, "self", self_address, MEDIA_TYPE)
    base = base_address.rstrip("/")
    for entry in reversed(history.entries):
        _add(feed, entry, history.log, base)
    rendered: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return rendered


def _add(feed: Element, entry: HistoryEntry, log: str, base: str) -> None:
    node = SubElement(feed, _tag("entry"))
    _text(node, "id", f"urn:uuid:{uuid5(UUID(log), str(entry.position))}")
    _text(node, "title", f"{entry.title} ({entry.change})")
    _text(node, "updated", entry.recorded or _BEFORE_ALL)
    author = SubElement(node, _tag("author"))
    _text(author, "name", entry.authority.name)
    _link(node, "alternate", f"{base}/v1/submissions/{quote(entry.submission, safe='')}", "application/json")
    if entry.body is not None:
        _link(node, "related", f"{base}/v1/bodies/{quote(entry.body.id, safe='')}/history", "application/json")
    SubElement(node, _tag("category"), term=entry.type, scheme=f"{base}/v1/schemas")
    lines = [*entry.words, *([f"Reason: {entry.public_reason}"] if entry.public_reason else [])]
    _text(node, "summary", "\n".join(lines))


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _text(parent: Element, name: str, value: str) -> None:
    SubElement(parent, _tag(name)).text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)


def _link(parent: Element, relation: str, address: str, media_type: str) -> None:
    href = _NO_XML.sub("", address)
    SubElement(parent, _tag("link"), rel=relation, href=href, type=media_type)
