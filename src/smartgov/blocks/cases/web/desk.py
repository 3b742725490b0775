"""The officer's pages: work list, case, supplement, decision."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from smartgov.blocks.cases import api
from smartgov.blocks.cases.web import rows
from smartgov.blocks.identity.api import actor, may, permit
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

VIEWS: tuple[tuple[str, Text], ...] = (
    ("todo", Text("To do", "待辦")),
    ("waiting", Text("Waiting for others", "等待中")),
    ("decided", Text("Decided", "已決定")),
    ("all", Text("All", "全部")),
)


@require_GET
@permit("cases.work")
def work_list(request: HttpRequest) -> HttpResponse:
    """The agency's cases by deadline, filtered by what there is to do and by number."""
    show = request.GET.get("show", "todo")
    text = request.GET.get("text", "").strip()[:30]
    who = actor(request)
    found = api.work_list(actor=who, wanted=api.Filter(show, text))
    context = {
        "cases": [(row, rows.STATE_KINDS[row.state]) for row in found],
        "show": show,
        "text": text,
        "views": VIEWS,
        "late": sum(row.is_open and row.days_left < 0 for row in found),
        "soon": sum(row.is_open and 0 <= row.days_left <= 2 for row in found),
    }
    return render(request, "cases/work_list.html", context)


@require_GET
@permit("cases.work")
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    """One case: the application beside the verified facts, the rule's explanation, what was done, what can be done."""
    return _case(request, case_id)


@require_POST
@permit("cases.decide")
def supplement(request: HttpRequest, case_id: str) -> HttpResponse:
    """Ask the applicant a question."""
    question = request.POST.get("question", "")
    return _attempt(
        request,
        case_id,
        {"question": question},
        lambda version: api.ask_supplement(actor=actor(request), case=case_id, version=version, question=question),
    )


@require_POST
@permit("cases.decide")
def decision(request: HttpRequest, case_id: str) -> HttpResponse:
    """Approve or refuse, with the law cited and the reason."""
    verb = {"approve": api.approve, "refuse": api.refuse}.get(request.POST.get("decision", ""))
    typed = {name: request.POST.get(name, "") for name in ("decision", "cited", "reason")}
    if verb is None:
        wrong = {"decision": Text("Choose approve or refuse", "請選擇核准或不予核准")}
        return _case(request, case_id, typed=typed, errors=wrong, status=422)
    return _attempt(
        request,
        case_id,
        typed,
        lambda version: verb(
            actor=actor(request), case=case_id, version=version, cited=typed["cited"], reason=typed["reason"]
        ),
    )


@require_http_methods(["POST"])
@permit("cases.decide")
def facts(request: HttpRequest, case_id: str) -> HttpResponse:
    """Ask the registers again."""
    return _attempt(
        request, case_id, {}, lambda version: api.restart(actor=actor(request), case=case_id, version=version)
    )


def _attempt(request: HttpRequest, case_id: str, typed: dict[str, str], verb: Any) -> HttpResponse:
    """Do it and show the case; what the officer can mend on the page is shown there with what she typed."""
    version = request.POST.get("version", "")
    try:
        verb(int(version) if version.isdecimal() else -1)
    except Problem as problem:
        place = MENDED_HERE.get(problem.slug)
        if place is None:
            raise
        text = Text(f"{problem.what.en} {problem.todo.en}", f"{problem.what.zh}{problem.todo.zh}")
        return _case(request, case_id, typed=typed, errors={place: text}, status=problem.status)
    return redirect("cases:case", case_id=case_id)


MENDED_HERE = {
    "supplement-empty": "question",
    "rule-not-cited": "reason",
    "decision-values-missing": "decision",
    "case-moved": "form",
    "case-step-refused": "form",
}


def _case(
    request: HttpRequest,
    case_id: str,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, Text] | None = None,
    status: int = 200,
) -> HttpResponse:
    view = api.case(actor=actor(request), case_id=case_id)
    decision_found = view.decision
    context = {
        "view": view,
        "kind": rows.STATE_KINDS[view.row.state],
        "applicant_id": rows.hidden(view.applicant_id),
        "representative_id": rows.hidden(view.representative["person"]) if view.representative else "",
        "answers": rows.answers(view),
        "declared": rows.declared(view),
        "facts": rows.facts(view),
        "rule_facts": rows.facts(view, shown=False),
        "outcome": rows.OUTCOMES.get(decision_found.get("outcome", "")),
        "outcome_kind": {"granted": "done", "refused": "bad"}.get(decision_found.get("outcome", ""), "waiting"),
        "explanation": decision_found.get("explanation", ()),
        "history": rows.history(view),
        "may_decide": may(request, "cases.decide") and not view.is_party and view.row.state == "in_review",
        "may_restart": may(request, "cases.decide")
        and not view.is_party
        and view.row.state in ("stopped", "in_review"),
        "bases": [(basis.code, basis_title(basis)) for basis in view.bases],
        "choices": [("approve", Text("Approve", "核准")), ("refuse", Text("Refuse", "不予核准"))],
        "typed": typed or {},
        "errors": errors or {},
    }
    return render(request, "cases/case.html", context, status=status)


def basis_title(basis: Any) -> Text:
    """Law and article in one line."""
    return Text(f"{basis.title.en}, {basis.article.en}", f"{basis.title.zh}{basis.article.zh}")
