"""Django configuration and manifest of `cases`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class CasesConfig(BlockConfig):
    """The agency's side: case, work list, decision."""

    name = "smartgov.blocks.cases"
    label = "cases"
    manifest = Manifest(
        needs=("notify", "payments", "credentials"),
        permissions={
            "cases.work": Text("See the work list and cases of one's agency", "檢視本機關的待辦清單與案件"),
            "cases.decide": Text("Ask for supplements and decide cases", "通知補件與核定案件"),
            "cases.notify_birth": Text("Notify births", "通報出生"),
        },
        menu=(
            MenuItem("cases:work_list", Text("Work list", "待辦清單"), "cases.work"),
            MenuItem("cases:births", Text("Birth notifications", "出生通報"), "cases.notify_birth"),
        ),
        periodic=(
            Periodic("cases.work_on_due", 1, "smartgov.blocks.cases.api.work_on_due"),
            Periodic("cases.close_overdue", 3600, "smartgov.blocks.cases.api.close_overdue"),
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
