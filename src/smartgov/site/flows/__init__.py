"""Which event leads to which verb. Down is a call, up is an event; this is the only place that joins the two.

`FLOWS` maps each declared event to its listeners, as dotted paths; an event that nobody needs maps to an empty tuple.
Listeners of blocks that are not installed are skipped.
"""

from __future__ import annotations

FLOWS: dict[str, tuple[str, ...]] = {
    # The centre
    "configuration_changed": ("smartgov.blocks.exchange.api.republish",),
    "certificate_ordered": ("smartgov.blocks.exchange.api.issue_ordered",),
    "ending_near": ("smartgov.blocks.notify.api.tell_of_ending",),
    # Signing in to other services
    "account_touched": ("smartgov.blocks.notify.api.tell_of_account",),
    "openid_session_ended": ("smartgov.blocks.identity.api.tell_logout",),
    # The agencies' side
    "birth_notified": ("smartgov.blocks.cases.api.announce_birth",),
    "case_moved": ("smartgov.blocks.cases.api.report_step",),
    "case_decided": (
        "smartgov.blocks.cases.api.forward_parts",
        "smartgov.blocks.cases.api.start_payment",
        "smartgov.blocks.cases.api.issue_certificate",
    ),
    "batch_released": (),  # the payments block itself sends released batches
    "payment_settled": ("smartgov.blocks.cases.api.payment_settled",),
    "payment_failed": ("smartgov.blocks.cases.api.payment_failed",),
    "credential_issued": (),  # the case that asked for it tells the holder
    "credential_revoked": (),  # read at each verification
    # The citizen's side
    "life_event_announced": ("smartgov.blocks.services.api.tell_parent",),
    "part_submitted": ("smartgov.blocks.services.api.send_application",),
    "supplement_answered": ("smartgov.blocks.services.api.send_supplement",),
    "step_recorded": ("smartgov.blocks.services.api.tell_applicant",),
    "consent_granted": (),  # artefacts are handed out at once; nobody else needs to know
    "consent_revoked": ("smartgov.blocks.mydata.api.tell_centre", "smartgov.blocks.mydata.api.tell_issuer"),
    "notice_created": ("smartgov.blocks.notify.api.deliver",),
}
