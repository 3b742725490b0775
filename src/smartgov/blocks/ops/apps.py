"""Django configuration and manifest of `ops`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class OpsConfig(BlockConfig):
    """Health, outbox, periodic work, retirement of personal data."""

    name = "smartgov.blocks.ops"
    label = "ops"
    manifest = Manifest(
        permissions={
            "ops.view": Text("See the platform's health and undelivered events", "檢視平臺運作與未送達事件"),
            "ops.retry": Text("Try undelivered events again, or give them up", "重送或放棄未送達事件"),
        },
        menu=(MenuItem("ops:status", Text("Operations", "平臺運作"), "ops.view", 61),),
        needs=(),
        periodic=(
            Periodic(
                "ops.retire",
                86_400,
                "smartgov.blocks.ops.periodic.retire_now",
                Text("Erases personal data whose time is over", "刪除保存期限屆滿之個人資料"),
            ),
        ),
    )
