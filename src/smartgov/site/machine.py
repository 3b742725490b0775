"""Doors for programs: our blocks' APIs, and the services that this web process offers on T-Road."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.site import refusals
from smartgov.site.blocks import DOORS
from smartgov.site.documents import Documented
from smartgov.site.middleware import respond
from smartgov.site.unstorable import holds_nul


class JsonOnly(Parser):
    """Reads the bodies of requests: JSON, said to be JSON."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The decoded body; what it raises reaches `of_library` as the cause."""
        if request.content_type != "application/json":
            raise refusals.NOT_JSON
        body = super().parse_body(request)
        if rb"\u0000" in request.body and holds_nul(body):
            raise refusals.MALFORMED
        return body


def make_api(name: str, title: Text, server: str) -> NinjaAPI:
    """An API in which every error is a problem; `server` is where its paths begin."""
    api = Documented(
        title=title.en,
        summary=title.zh,
        server=server,
        urls_namespace=name,
        docs_url=None,
        openapi_url="openapi.json",
        parser=JsonOnly(),
    )

    @api.exception_handler(Problem)
    def problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return respond(request, error)

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return respond(request, refusals.NOT_FOUND)

    @api.exception_handler(AuthenticationError)
    def stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return respond(request, refusals.UNAUTHENTICATED)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        places = [".".join(str(part) for part in item.get("loc", ())) for item in error.errors]
        return respond(
            request,
            Problem(
                "request-invalid",
                422,
                what=Text("The request does not have the documented form.", "請求不符合文件所定的格式。"),
                why=Text(f"See: {', '.join(places)}.", f"請檢查：{'、'.join(places)}。"),
                todo=Text("Correct these places and send it again.", "請修正後再送出。"),
                places=places,
            ),
        )

    @api.exception_handler(HttpError)
    def of_library(request: HttpRequest, error: HttpError) -> HttpResponse:
        cause = error.__cause__
        return respond(request, cause if isinstance(cause, Problem) else refusals.of_status(error.status_code))

    @api.exception_handler(DataError)
    def unstorable(request: HttpRequest, error: DataError) -> HttpResponse:
        return respond(request, refusals.MALFORMED)

    @api.exception_handler(RequestDataTooBig)
    def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return respond(request, refusals.TOO_LARGE)

    return api


api = make_api("api", Text("smartgov: interfaces for programs", "smartgov 程式介面"), "/api")
troad = make_api("troad", Text("smartgov: doors on T-Road", "smartgov 之 T-Road 入口"), "/troad/{agency}")
for _name in settings.BLOCKS:
    if find_spec(f"smartgov.blocks.{_name}.rest"):
        api.add_router(f"/{_name}/v1", import_module(f"smartgov.blocks.{_name}.rest").router)
for _code, _block in DOORS.items():
    if _block in settings.BLOCKS and find_spec(f"smartgov.blocks.{_block}.troad"):
        troad.add_router(f"/{_code}", import_module(f"smartgov.blocks.{_block}.troad").router)
