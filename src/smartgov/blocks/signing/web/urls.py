"""Pages of `signing`."""

from django.urls import URLPattern, path

from smartgov.blocks.signing.web import batches, checking, describing, desk, office, papers

app_name = "signing"
urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("certificate", desk.certificate_begin, name="certificate-begin"),
    path("extension", desk.extension, name="extension"),
    path("suspension", desk.suspension, name="suspension"),
    path("activation", desk.activation_begin, name="activation-begin"),
    path("documents/<str:document_id>", desk.document, name="document"),
    path("documents/<str:document_id>/file", desk.file, name="file"),
    path("documents/<str:document_id>/signed", desk.signed, name="signed"),
    path("approvals/<str:approval_id>", desk.approval, name="approval"),
    path("approvals/<str:approval_id>/state", desk.approval_state, name="approval-state"),
    path("papers/<str:paper_id>", papers.paper, name="paper"),
    path("papers/<str:paper_id>/state", papers.state, name="paper-state"),
    path("papers/<str:paper_id>/answer", papers.answer, name="paper-answer"),
    path("papers/<str:paper_id>/cancel", papers.cancel, name="paper-cancel"),
    path("check", checking.page, name="check"),
    path("check.json", checking.program, name="check-json"),
    path("openapi.json", describing.view, name="openapi"),
    path("lists/", office.lists, name="lists"),
    path("certificates/", office.certificates, name="certificates"),
    path("certificates/<str:record>", office.certificate, name="certificate"),
    path("batches/", batches.batches, name="batches"),
    path("batches/<str:batch_id>", batches.batch, name="batch"),
    path("batches/<str:batch_id>/<str:number>", batches.sealed, name="sealed"),
]
