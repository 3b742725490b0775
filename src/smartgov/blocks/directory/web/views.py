"""The public page of agencies and of the law on which they act."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from smartgov.blocks.directory import api
from smartgov.blocks.ops.api import public


@require_GET
@public("who governs, and by which law, is public knowledge")
def agencies(request: HttpRequest) -> HttpResponse:
    """Every agency with its telephone, and every legal basis with its official text."""
    language = get_language() or "zh-hant"
    context = {
        "agencies": [
            {"code": row.code, "name": row.name.in_language(language), "phone": row.phone, "member": row.member}
            for row in api.agencies()
        ],
        "legal_bases": [
            {"title": row.title.in_language(language), "article": row.article.in_language(language), "url": row.url}
            for row in api.legal_bases()
        ],
    }
    return render(request, "directory/agencies.html", context)
