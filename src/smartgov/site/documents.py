"""The OpenAPI documents of our own APIs, and the contracts of the services that our blocks answer on T-Road.

A contract is made from the block's operations and kept as content (content/tw/contracts/), so that a change of what
is promised to others is seen in review, and the centre can register it without running the block.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from ninja import NinjaAPI, Router
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from smartgov.blocks.exchange.api import Offered
from smartgov.shared import openapi
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id
from smartgov.site.blocks import DOORS

Json = dict[str, Any]
DESK = Text("smartgov operations desk", "smartgov 維運窗口")
TERMS = Text("For those who hold the right named there", "限持有所列權限者使用")
BY_LAW = Text("By law or with the person's consent only", "限依法令或當事人同意查詢")
SUBJECT: Json = {
    "name": "X-TRoad-Subject",
    "in": "header",
    "required": True,
    "description": "Whom the request is about; opened by the agency's own gateway",
    "schema": {"type": "string", "pattern": national_id.URN_PATTERN},
}


class Documented(NinjaAPI):
    """An API whose document says of every operation what it does, in both languages, and that errors are problems.

    `server` is where its paths begin; `{agency}` in it is taken from the address at which the document is asked.
    """

    def __init__(self, *, title: str, summary: str, server: str, terms: Text = TERMS, **options: Any) -> None:
        info = {"summary": summary, "contact": {"name": _both(DESK)}, "license": {"name": _both(terms)}}
        super().__init__(title=title, version="1", openapi_extra={"info": info}, **options)
        self.server = server

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Any:
        """The document; its paths are those of the routers, below `server`."""
        document = _Document(self, "")
        del document["info"]["description"]
        document["servers"] = [{"url": self.server.format_map(path_params or {"agency": "ris"})}]
        document["components"]["responses"] = {
            "Problem": {
                "description": "What went wrong, why, and what to do",
                "content": {"application/problem+json": {"schema": openapi.PROBLEM}},
            }
        }
        return document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The block and the function: short, and the same wherever the block is mounted."""
        return operation_id(operation)


class _Document(OpenAPISchema):
    def operation_details(self, operation: Operation) -> Json:
        """Ninja's, with the first sentence of the docstring as the summary; `description` is Chinese."""
        details: Json = super().operation_details(operation)
        details["summary"] = (operation.view_func.__doc__ or details["summary"]).strip().splitlines()[0]
        details["responses"].setdefault("default", {"$ref": "#/components/responses/Problem"})
        _illustrate(details, openapi.examples().get(operation_id(operation), {}))
        return details


def operation_id(operation: Operation) -> str:
    """The block and the function."""
    function = operation.view_func
    return f"{function.__module__.split('.')[2]}_{function.__name__}"


def _illustrate(details: Json, shown: Json) -> None:
    """Put what was really asked and said (`make examples`) beside the forms."""
    for name, content_of in (("request", details.get("requestBody")), ("answer", _answer(details, shown))):
        if name in shown and content_of:
            content_of["content"]["application/json"]["example"] = shown[name]


def _answer(details: Json, shown: Json) -> Json:
    answer: Json = details["responses"].get(shown.get("status"), {})
    return answer if "content" in answer else {}


def by_hand() -> dict[str, Json]:
    """The documents of doors whose forms a specification fixes, by block; a block's is in its `web/describing.py`."""
    named = {block: f"smartgov.blocks.{block}.web.describing" for block in settings.BLOCKS}
    return {
        block: import_module(name).document(settings.ORIGIN)
        for block, name in named.items()
        if find_spec(f"smartgov.blocks.{block}.web") and find_spec(name)
    }


def contract(code: str) -> Json:
    """The contract of the service that a block answers under this code (`cases.v1`), without the agency's address."""
    module = import_module(f"smartgov.blocks.{DOORS[code]}.troad")
    return _contract(code, module.OFFERED, module.router)


def _contract(code: str, offered: Offered, router: Router) -> Json:
    api = Documented(
        title=offered.title.en,
        summary=offered.title.zh,
        server=f"/{code}",
        terms=BY_LAW if offered.personal else TERMS,
        urls_namespace=f"contract {code}",
    )
    api.add_router("", router)
    document = _plain(api.get_openapi_schema())
    if offered.personal:
        document["components"]["parameters"] = {"Subject": SUBJECT}
        for item in document["paths"].values():
            for operation in item.values():
                operation["parameters"].append({"$ref": "#/components/parameters/Subject"})
    document["components"]["securitySchemes"] = {"gateway": {"type": "http", "scheme": "bearer"}}
    for item in document["paths"].values():
        for operation in item.values():
            operation["security"] = [{"gateway": []}]
    told = {"title": offered.title.as_dict(), "personal": offered.personal, "related": sorted(offered.related)}
    return {**document, "x-troad": told}


def _plain(document: Mapping[str, Any]) -> Json:
    """As it is read back: keys of answers are text, and nothing is shared."""
    read: Json = json.loads(json.dumps(document, default=str))
    return read


def _both(text: Text) -> str:
    return f"{text.zh} {text.en}"
