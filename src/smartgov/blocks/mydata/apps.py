"""Django configuration and manifest of `mydata`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class MydataConfig(BlockConfig):
    """Consent, and the trail of who looked."""

    name = "smartgov.blocks.mydata"
    label = "mydata"
    manifest = Manifest(
        events={
            "consent_granted": Text("A consent was given", "已給予同意"),
            "consent_revoked": Text("A consent was taken back", "已撤回同意"),
        },
        listeners={
            "tell_centre": Text("Has all gateways refuse it", "使各閘道不再接受"),
            "tell_issuer": Text("Takes it back at the gateway that signed it", "於簽發之閘道撤回"),
        },
        deeds={
            "consent.granted": Text("Consent given", "給予同意"),
            "consent.revoked": Text("Consent taken back", "撤回同意"),
            "trail.proof_failed": Text("A proof failed", "證明未通過"),
        },
        needs=("ops", "audit", "directory", "identity", "exchange"),
        permissions={
            "mydata.consent": Text(
                "Allow, refuse and revoke the use of one's own data", "同意、拒絕或撤回個人資料的使用"
            ),
            "mydata.trail": Text("See who looked at one's own data", "查看誰看過我的資料"),
        },
        menu=(
            MenuItem("mydata:trail", Text("Who looked at my data", "誰看過我的資料"), "mydata.trail", 30),
            MenuItem("mydata:consents", Text("My consents", "我的同意"), "mydata.consent", 40),
        ),
    )

    def ready(self) -> None:
        """Declare our events."""
        from smartgov.blocks.ops import api as ops

        ops.declare_events("mydata", {"consent_granted": ("consent",), "consent_revoked": ("consent",)})
