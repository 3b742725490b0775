"""Django configuration and manifest of `services`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class ServicesConfig(BlockConfig):
    """The citizen's side: catalogue, application, timeline."""

    name = "smartgov.blocks.services"
    label = "services"
    manifest = Manifest(
        deeds={
            "application.started": Text("Application started", "開始申請"),
            "application.submitted": Text("Application handed in", "送出申請"),
            "application.withdrawn": Text("Application withdrawn", "撤回申請"),
            "step.recorded": Text("Step told by an agency", "收到機關進度"),
            "supplement.answered": Text("Supplement answered", "回覆補件"),
        },
        needs=("ops", "audit", "directory", "identity", "exchange", "notify", "mydata"),
        permissions={"services.apply": Text("Apply for services and follow applications", "申請服務並查看進度")},
        menu=(
            MenuItem("home", Text("My wall", "我的服務牆"), "services.apply", 10),
            MenuItem("services:catalogue", Text("Services", "服務項目"), place=70),
        ),
    )

    def ready(self) -> None:
        """Declare our events; payloads hold ids only."""
        from smartgov.blocks.ops import api as ops

        ops.declare_events(
            "services",
            {
                "life_event_announced": ("life_event",),
                "part_submitted": ("part",),
                "step_recorded": ("application", "step"),
                "supplement_answered": ("application", "supplement"),
            },
        )
