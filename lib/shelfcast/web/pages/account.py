"""Signing in and out, choosing a password, and API tokens: everybody's own."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import SecretStr

from shelfcast.api.access.guard import open_to_all
from shelfcast.api.problems import Problem
from shelfcast.api.routes.account import (
    SignIn,
    SignIns,
    TokenAsked,
    TokenMade,
    Welcome,
    choose_password,
    list_own_tokens,
    make_own_token,
    revoke_own_token,
    sign_in,
    sign_out,
)
from shelfcast.api.service import service_of
from shelfcast.api.waiting import waits
from shelfcast.errors import ShelfcastError
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.rendering import base_of, localized, render
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
Seen = Depends(open_to_all("probes"))
Onward = Annotated[str, Form(max_length=2000)]
Password = Annotated[SecretStr, Form(max_length=1024)]


@ROUTER.get("/sign-in", dependencies=[Seen])
def show_sign_in(request: Request, next: Annotated[str, Query(max_length=2000)] = "", chosen: bool = False) -> Response:
    return _sign_in_page(request, HTTPStatus.OK, "", next, chosen)


@ROUTER.post("/sign-in", dependencies=[SignIns])
@waits
def take_sign_in(
    request: Request, name: Annotated[str, Form(max_length=64)], password: Password, next: Onward = ""
) -> Response:
    onward = RedirectResponse(f"{base_of(request)}{_own_path(next)}", HTTPStatus.SEE_OTHER)
    try:
        sign_in(request, onward, SignIn(name=name, password=password))
    except Problem as problem:
        if problem.status != HTTPStatus.UNAUTHORIZED:
            raise
        return _sign_in_page(request, HTTPStatus.UNAUTHORIZED, problem.detail, next, False, name)
    return onward


@ROUTER.post("/sign-out")
def take_sign_out(request: Request, visit: ViewerVisit) -> Response:
    onward = RedirectResponse(f"{base_of(request)}/sign-in", HTTPStatus.SEE_OTHER)
    sign_out(request, onward, visit.principal)
    return onward


@ROUTER.get("/welcome", dependencies=[Seen])
def show_welcome(request: Request) -> Response:
    """The secret stands behind the # of the link, which no browser sends: the page's script puts it into the form."""
    return _welcome_page(request, HTTPStatus.OK, "")


@ROUTER.post("/welcome", dependencies=[SignIns])
@waits
def take_welcome(
    request: Request, link: Annotated[SecretStr, Form(max_length=128)], password: Password, again: Password
) -> Response:
    if password != again:
        return _welcome_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, "the two passwords differ", link)
    try:
        choose_password(request, Welcome(link=link, password=password))
    except ShelfcastError as error:
        return _welcome_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error), link)
    return RedirectResponse(f"{base_of(request)}/sign-in?chosen=true", HTTPStatus.SEE_OTHER)


@ROUTER.get("/account")
def show_account(visit: ViewerVisit) -> Response:
    return _account_page(visit)


@ROUTER.post("/account/tokens")
def take_token(
    visit: ViewerVisit,
    label: Annotated[str, Form(min_length=1, max_length=64)],
    days: Annotated[int, Form(ge=1, le=3650)],
    seen: Annotated[int, Form(ge=0, description="how many the page has shown")],
) -> Response:
    # A page that is loaded again sends its form again, and a token cannot be shown by a page that is led on to.
    if seen != len(list_own_tokens(visit.request, visit.principal)):
        return _account_page(visit, problem="a token was made since the page was shown: look below before another is")
    made = make_own_token(visit.request, visit.principal, TokenAsked(label=label, days=days))
    return _account_page(visit, made)


@ROUTER.post("/account/tokens/{token_id}/revoke")
def take_revocation(visit: ViewerVisit, token_id: Annotated[str, Path(max_length=32)]) -> Response:
    revoke_own_token(visit.request, visit.principal, token_id)
    return visit.back_to("/account")


def _account_page(visit: Visit, made: TokenMade | None = None, problem: str = "") -> Response:
    tokens = list_own_tokens(visit.request, visit.principal)
    most = visit.service.settings.access.token_days
    status = HTTPStatus.CONFLICT if problem else HTTPStatus.OK
    return visit.show("account.html", status, tokens=tokens, made=made, most_days=most, problem=problem)


def _sign_in_page(request: Request, status: int, problem: str, onward: str, chosen: bool, name: str = "") -> Response:
    say = localized(request)
    told = {"problem": problem, "next": onward, "chosen": chosen, "name": name}
    return render(request, "sign_in.html", status, say=say, **told)


def _welcome_page(request: Request, status: int, problem: str, link: SecretStr | None = None) -> Response:
    least = _least_password(request)
    secret = link.get_secret_value() if link else ""
    return render(request, "welcome.html", status, say=localized(request), problem=problem, least=least, link=secret)


def _least_password(request: Request) -> int:
    return service_of(request).settings.access.least_password


def _own_path(path: str) -> str:
    """The path of a page of ours; any other leads to the first one."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"
