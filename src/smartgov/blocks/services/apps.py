"""Django configuration and manifest of `services`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class ServicesConfig(BlockConfig):
    """The citizen's side: catalogue, application, timeline."""

    name = "smartgov.blocks.services"
    label = "services"
    manifest = Manifest(
        events={
            "life_event_announced": Text("A life event was announced", "已接獲生活事件"),
            "part_submitted": Text("A part of an application was handed in", "已送出申請項目"),
            "step_recorded": Text("An application moved on", "申請進度更新"),
            "supplement_answered": Text("A question of an agency was answered", "已答覆機關提問"),
        },
        listeners={
            "tell_parent": Text("Tells the parent", "通知家長"),
            "send_application": Text("Sends it to the agency", "送交承辦機關"),
            "send_supplement": Text("Sends the answer to the agency", "將答覆送交機關"),
            "tell_applicant": Text("Tells the applicant", "通知申請人"),
        },
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
