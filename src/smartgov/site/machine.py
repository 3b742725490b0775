"""Doors for programs: our blocks' APIs, and the services that this web process offers on T-Road."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.site.blocks import DOORS
from smartgov.site.middleware import NOT_FOUND, respond

UNAUTHENTICATED = Problem(
    "unauthenticated",
    401,
    what=Text("This request carries no accepted proof of who sends it.", "這個請求沒有可接受的身分證明。"),
    todo=Text("Send the credential that the documentation names.", "請附上文件所列的憑證。"),
)


def _api(name: str) -> NinjaAPI:
    api = NinjaAPI(
        title=f"smartgov {name}", version="1", urls_namespace=name, docs_url=None, openapi_url="openapi.json"
    )

    @api.exception_handler(Problem)
    def problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return respond(request, error)

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return respond(request, NOT_FOUND)

    @api.exception_handler(AuthenticationError)
    def stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return respond(request, UNAUTHENTICATED)

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

    return api


api = _api("api")
troad = _api("troad")
for _name in settings.BLOCKS:
    if find_spec(f"smartgov.blocks.{_name}.rest"):
        api.add_router(f"/{_name}/v1", import_module(f"smartgov.blocks.{_name}.rest").router)
for _code, _block in DOORS.items():
    if _block in settings.BLOCKS and find_spec(f"smartgov.blocks.{_block}.troad"):
        troad.add_router(f"/{_code}", import_module(f"smartgov.blocks.{_block}.troad").router)
