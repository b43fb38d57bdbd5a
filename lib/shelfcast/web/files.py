"""Style sheets, scripts and the icon: all that a page asks for comes from here."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from shelfcast.api.access.guard import open_to_all
from shelfcast.api.problems import Problem
from shelfcast.web.rendering import static_file

ROUTER = APIRouter(dependencies=[Depends(open_to_all("probes"))], include_in_schema=False)
# Their addresses change with what they hold.
_FOR_GOOD = "public, max-age=31536000, immutable"


@ROUTER.get("/static/{name}")
def get_file(request: Request, name: str) -> Response:
    found = static_file(name)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"file {name[:64]}: not there")
    content, media_type, digest = found
    is_current = request.query_params.get("v") == digest
    return Response(content, media_type=media_type, headers={"cache-control": _FOR_GOOD if is_current else "no-cache"})
