"""Django configuration and manifest of `cases`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class CasesConfig(BlockConfig):
    """The agency's side: case, work list, decision."""

    name = "smartgov.blocks.cases"
    label = "cases"
    manifest = Manifest(
        events={
            "birth_notified": Text("A birth was notified", "已通報出生"),
            "case_moved": Text("A case moved on", "案件進入下一步"),
            "case_decided": Text("A case was decided", "案件已決定"),
        },
        listeners={
            "announce_birth": Text("Announces it to the parent's portal", "轉知入口網通知家長"),
            "report_step": Text("Tells the portal of the step", "向入口網回報進度"),
            "forward_parts": Text("Starts what depends on it", "啟動後續案件"),
            "start_payment": Text("Orders the payment", "建立付款"),
            "issue_certificate": Text("Has the certificate issued", "核發證明書"),
            "payment_settled": Text("Writes it into the case", "記入案件"),
            "payment_failed": Text("Writes it into the case", "記入案件"),
        },
        deeds={
            "case.received": Text("Case received", "收件"),
            "case.predecessor_granted": Text("Earlier step granted", "前一步驟已核准"),
            "case.predecessor_refused": Text("Earlier step refused", "前一步驟未核准"),
            "case.facts_missing": Text("A fact did not come", "缺少查詢資料"),
            "case.facts_complete": Text("Facts complete", "查詢資料齊備"),
            "case.answer_not_trusted": Text("Answer not trusted", "回覆未通過驗證"),
            "case.ask_supplement": Text("Supplement asked for", "通知補件"),
            "case.supplement_came": Text("Supplement came", "收到補件"),
            "case.supplement_overdue": Text("Supplement overdue", "補件逾期"),
            "case.approve": Text("Case approved", "核准"),
            "case.refuse": Text("Case refused", "駁回"),
            "case.registers_written": Text("Register written", "完成登記"),
            "case.restart": Text("Facts asked for again", "重新查詢"),
            "birth.notified": Text("Birth notified", "通報出生"),
            "birth.announced": Text("Birth announced", "轉知出生"),
        },
        needs=("notify", "payments", "credentials"),
        permissions={
            "cases.work": Text("See the work list and cases of one's agency", "檢視本機關的待辦清單與案件"),
            "cases.decide": Text("Ask for supplements and decide cases", "通知補件與核定案件"),
            "cases.notify_birth": Text("Notify births", "通報出生"),
        },
        menu=(
            MenuItem("cases:work_list", Text("Work list", "待辦清單"), "cases.work", 11),
            MenuItem("cases:births", Text("Birth notifications", "出生通報"), "cases.notify_birth", 12),
        ),
        periodic=(
            Periodic(
                "cases.work_on_due",
                1,
                "smartgov.blocks.cases.api.work_on_due",
                Text("Takes up cases whose next step is due", "處理已到期之案件步驟"),
            ),
            Periodic(
                "cases.close_overdue",
                3600,
                "smartgov.blocks.cases.api.close_overdue",
                Text("Closes cases whose supplement did not come in time", "結束逾期未補正之案件"),
            ),
        ),
    )

    def ready(self) -> None:
        """Declare the events."""
        from smartgov.blocks.ops.api import declare_events

        declare_events(
            "cases",
            {
                "birth_notified": ("birth", "agency"),
                "case_moved": ("case", "step", "agency"),
                "case_decided": ("case", "agency", "outcome"),
            },
        )
