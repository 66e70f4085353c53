"""Pages from templates: rendered on the server, complete without any script."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from cab_registry.pages.words import in_words, show_form, show_moment, show_span
from cab_registry.services.views import NoSuchRecord

_FOLDER: Final = Path(__file__).resolve().parent
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Site:
    """Templates and style of the pages."""

    def __init__(self) -> None:
        self._style = (_FOLDER / "static" / "style.css").read_bytes()
        self._style_name = f"style.{blake2b(self._style, digest_size=6).hexdigest()}.css"
        # What a record does not state reads as nothing (Loose); a misspelt variable of a template is an error.
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters |= {"words": in_words, "moment": show_moment, "span": show_span, "form": show_form}
        self._templates.globals["stylesheet"] = f"/static/{self._style_name}"

    def show(self, template: str, values: Mapping[str, Any], *, here: str = "", status: int = 200) -> Response[bytes]:
        """Render a page."""
        text = self._templates.get_template(template).render({"here": here, **values})
        return Response(
            text.encode(),
            status_code=status,
            media_type="text/html",
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
        )

    def make_style_route(self) -> HTTPRouteHandler:
        """Return the handler of the stylesheet, whose name changes with its content."""

        @get("/static/{name:str}")
        async def get_style(name: FromPath[str]) -> Response[bytes]:
            if name != self._style_name:
                raise NoSuchRecord("file", name)
            return Response(
                self._style,
                media_type="text/css",
                headers={"Cache-Control": "public, max-age=31536000, immutable"},
            )

        return get_style


class Loose(dict[str, Any]):
    """A record's document whose missing keys are nothing, as a template finds them."""

    def __missing__(self, key: str) -> Undefined:
        return Undefined(name=key)


def loosen(value: Any) -> Any:
    """Return a document that templates can read without asking what is stated."""
    if isinstance(value, Mapping):
        return Loose({key: loosen(part) for key, part in value.items()})
    return [loosen(part) for part in value] if isinstance(value, list | tuple) else value
