"""Refusals as pages: the sentence that a program would be told, and where to go on."""

import json
from http import HTTPStatus

from fastapi import Request, Response

from shelfcast.web.rendering import base_of, render

_TITLES = {
    HTTPStatus.UNAUTHORIZED: "Please sign in",
    HTTPStatus.FORBIDDEN: "Not yours to see or do",
    HTTPStatus.NOT_FOUND: "Nothing here",
    HTTPStatus.CONFLICT: "Not possible now",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Not understood",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.SERVICE_UNAVAILABLE: "Nothing to show yet",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here",
}


def told_as_page(request: Request, problem: Response) -> Response:
    """The answer `problem`, application/problem+json, as a page with the same status and headers."""
    told = json.loads(bytes(problem.body))
    title = _TITLES.get(HTTPStatus(problem.status_code), told["title"])
    # Of a session that was let in: who reaches nothing can at least sign out.
    csrf = getattr(request.state, "csrf", None)
    context = {"title": title, "problem": told, "home": f"{base_of(request)}/", "csrf": csrf}
    page = render(request, "problem.html", problem.status_code, **context)
    for name, value in problem.headers.items():
        if name not in ("content-length", "content-type"):
            page.headers[name] = value
    return page
