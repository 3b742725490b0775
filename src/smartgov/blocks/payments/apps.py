"""Django configuration and manifest of `payments`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class PaymentsConfig(BlockConfig):
    """Money out: instructions, batches, results."""

    name = "smartgov.blocks.payments"
    label = "payments"
    manifest = Manifest(
        events={
            "batch_released": Text("A batch of payments was released", "付款批次已核准撥付"),
            "payment_settled": Text("A payment was made", "款項已入帳"),
            "payment_failed": Text("A payment came back", "款項遭退回"),
        },
        deeds={
            "payment.instructed": Text("Payment ordered", "建立付款"),
            "payment.corrected": Text("Payment corrected", "更正付款"),
            "payment.cancelled": Text("Payment given up", "取消付款"),
            "batch.prepared": Text("Batch prepared", "編製批次"),
            "batch.released": Text("Batch released", "放行批次"),
            "batch.sent": Text("Batch sent to the bank", "批次送銀行"),
            "batch.result_applied": Text("Bank's result applied", "套用銀行結果"),
            "batch.voided": Text("Batch dissolved", "批次作廢"),
        },
        needs=("ops", "audit", "identity", "exchange"),
        permissions={
            "payments.view": Text("See payments and batches of one's agency", "檢視本機關的付款與批次"),
            "payments.prepare": Text(
                "Prepare batches, correct accounts, upload results", "編製批次、更正帳戶、上傳結果檔"
            ),
            "payments.release": Text("Release batches that another person prepared", "放行他人編製的批次"),
        },
        menu=(MenuItem("payments:desk", Text("Payments", "付款"), "payments.view", 20),),
        periodic=(
            Periodic(
                "payments.send_released",
                2,
                "smartgov.blocks.payments.api.send_released",
                Text("Hands released payments to the bank", "將核放之款項送交銀行"),
            ),
            Periodic(
                "payments.poll_results",
                3,
                "smartgov.blocks.payments.api.poll_results",
                Text("Asks the bank what became of payments", "向銀行查詢撥付結果"),
            ),
        ),
    )

    def ready(self) -> None:
        """Declare the events and put the sandbox bank in force."""
        from smartgov.blocks.ops.api import declare_events
        from smartgov.blocks.payments import bank
        from smartgov.blocks.payments.adapters.sandbox import SandboxBank

        declare_events(
            "payments",
            {
                "batch_released": ("batch", "agency"),
                "payment_settled": ("instruction", "case", "agency"),
                "payment_failed": ("instruction", "case", "agency"),
            },
        )
        bank.register(SandboxBank())
