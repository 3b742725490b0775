"""Checking a signed file, for people and for programs. The file is not kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from smartgov.blocks.identity.api import public
from smartgov.blocks.ops.api import neighbour_of
from smartgov.blocks.signing import api, domain, limiting
from smartgov.blocks.signing.web import files
from smartgov.engines.pki import signing
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_COVERAGE = {
    "whole": Text("The whole file", "整份檔案"),
    "evidence": Text("The whole document; only proof of validity was added later", "整份文件；其後僅附加效力證明資料"),
    "signatures": Text("The document as it was then; others signed after", "當時的整份文件；其後另有他人簽署"),
    "altered": Text("Not what is in the file now: something was changed later", "與現有檔案不符：簽署後有更動"),
}
_STATUS = {
    "good": Text("In force", "有效"),
    "suspended": Text("Suspended", "暫時停用"),
    "revoked": Text("Revoked", "已廢止"),
    "unknown": Text("Not known: its authority publishes no list here", "無法得知：其憑證機構未在此公布清冊"),
}
_SOURCES = {
    "crl": Text("list no. {n} of its authority", "憑證機構第 {n} 號廢止清冊"),
    "ocsp": Text("its authority's answer", "憑證機構的即時回應"),
}
_MANDATES = {
    "held": Text("The mandate held when it was signed.", "簽署時代理權限有效。"),
    "not-held": Text("The mandate did not hold when it was signed.", "簽署時代理權限不存在。"),
    "unknown": Text("As the signer says; nobody was asked.", "依簽署人所述，未向登記機關查證。"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One signature in words."""

    report: signing.SignatureReport
    problems: list[Text]
    coverage: Text
    level: Text
    revocation: Text
    news: Text | None
    age: Text | None
    mandate: Text


@require_http_methods(["GET", "POST"])
@public("Whoever is handed a signed file must be able to check it.")
def page(request: HttpRequest) -> HttpResponse:
    """The report, or with `part=revision` the document as the last signature covers it, without what was added."""
    if request.method == "GET":
        return render(request, "signing/check.html", {})
    try:
        report = _checked(request)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return render(request, "signing/check.html", {"errors": files.errors_of(problem)}, status=problem.status)
    if request.POST.get("part") == "revision" and report.signed_revision and _is_whole(report):
        return files.pdf("signed-revision.pdf", report.signed_revision)
    context = {
        "report": report,
        "signatures": [_shown(one) for one in report.signatures],
        "problems": [signing.PROBLEMS[key] for key in report.problems],
        "only_altered": report.problems == ("altered-later",),
    }
    return render(request, "signing/check.html", context)


@csrf_exempt
@require_POST
@public("Programs check files as people do; nothing is kept or changed.")
def program(request: HttpRequest) -> HttpResponse:
    """The report as JSON: a form with `file`, and `signature` for a detached CMS signature."""
    try:
        return JsonResponse(_as_json(_checked(request)))
    except Problem as problem:
        answer = JsonResponse(problem.as_dict("en"), status=problem.status, content_type="application/problem+json")
        answer["Content-Language"] = "en"
        return answer


def _as_json(report: signing.Report) -> dict[str, object]:
    """The report, when it was made, and how old the news of each signature was then (seconds)."""
    now, found = clock.now(), report.as_json()
    for said, one in zip(found["signatures"], report.signatures, strict=True):
        made = one.revocation.made_at
        said["revocation"]["age_s"] = max(int((now - made).total_seconds()), 0) if made else None
    return {**found, "checked_at": now.isoformat()}


def _checked(request: HttpRequest) -> signing.Report:
    content = files.content_of(request.FILES.get("file"))
    limiting.count(neighbour_of(request))
    if signature := request.FILES.get("signature"):
        return api.check_data(content, files.content_of(signature))
    return api.check(content)


def _is_whole(report: signing.Report) -> bool:
    """Whether the signed revision itself is good: what was added later is the only thing wrong."""
    return report.problems in {(), ("altered-later",)}


def _shown(one: signing.SignatureReport) -> Shown:
    news = one.revocation
    kind, _, number = news.source.partition(" ")
    made: datetime | None = news.made_at
    return Shown(
        report=one,
        problems=[signing.PROBLEMS[key] for key in one.problems],
        coverage=_COVERAGE[one.coverage],
        level=domain.LEVELS[one.level],
        revocation=_STATUS[news.status],
        news=_SOURCES[kind].format(n=number) if kind in _SOURCES else None,
        age=_age(clock.now() - made) if made else None,
        mandate=_MANDATES[one.mandate_word or "unknown"],
    )


def _age(passed: timedelta) -> Text:
    """How old news is: in minutes, hours or days, rounded down."""
    minutes = max(int(passed.total_seconds()) // 60, 0)
    if minutes < 120:
        return Text(f"{minutes} minutes old", f"{minutes} 分鐘前")
    if minutes < 48 * 60:
        return Text(f"{minutes // 60} hours old", f"{minutes // 60} 小時前")
    return Text(f"{minutes // 1440} days old", f"{minutes // 1440} 天前")
