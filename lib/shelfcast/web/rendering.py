"""Templates into answers."""

import hashlib
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined

from shelfcast.api.service import service_of
from shelfcast.reporting.formats import words
from shelfcast.web.localized import Localized

_TEMPLATES = files("shelfcast.web") / "templates"
_OWN, _OF_REPORT = files("shelfcast.web") / "static", files("shelfcast.reporting") / "templates"
_VENDOR = _OWN / "vendor"
_SCRIPT = "text/javascript"
# Pages and report look alike, and their tables are sorted alike.
_STATIC = {
    "report.css": (_OF_REPORT / "style.css", "text/css"),
    "tables.js": (_OF_REPORT / "tables.js", _SCRIPT),
    "style.css": (_OWN / "style.css", "text/css"),
    "charts.js": (_OWN / "charts.js", _SCRIPT),
    "script.js": (_OWN / "script.js", _SCRIPT),
    "icon.svg": (_OWN / "icon.svg", "image/svg+xml"),
    "chart.umd.js": (_VENDOR / "chart-4.6.1.umd.min.js", _SCRIPT),
    "chart.annotation.js": (_VENDOR / "chartjs-plugin-annotation-3.1.0.min.js", _SCRIPT),
    "htmx.js": (_VENDOR / "htmx-2.0.11.min.js", _SCRIPT),
}


def render(request: Request, template: str, status: int = HTTPStatus.OK, **context: Any) -> HTMLResponse:
    """The page of the template."""
    told = {"base": base_of(request), "static": lambda name: _static_url(request, name), **context}
    return HTMLResponse(_environment().get_template(template).render(told), status)


def localized(request: Request) -> Localized:
    return Localized.of(request.headers.get("accept-language", ""))


def base_of(request: Request) -> str:
    """The path under which all pages are; empty where they are under none."""
    return service_of(request).settings.prefix


@cache
def static_file(name: str) -> tuple[bytes, str, str] | None:
    """A file that pages ask for: its content, media type and digest."""
    if name not in _STATIC:
        return None
    file, media_type = _STATIC[name]
    content = file.read_bytes()
    return content, media_type, hashlib.sha256(content).hexdigest()[:12]


def _static_url(request: Request, name: str) -> str:
    found = static_file(name)
    assert found is not None, name
    return f"{base_of(request)}/static/{name}?v={found[2]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: (_TEMPLATES / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = words
    return environment
