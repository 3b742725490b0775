"""Django configuration and manifest of `mandates`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class MandatesConfig(BlockConfig):
    """Acting for others."""

    name = "smartgov.blocks.mandates"
    label = "mandates"
    manifest = Manifest(
        permissions={
            "mandates.hold": Text("Give, accept and end mandates, and act by them", "委任、接受、終止代理並代為辦理")
        },
        deeds={
            "mandate.began": Text("Mandate began", "代理生效"),
            "mandate.offered": Text("Mandate offered", "提出委任"),
            "mandate.refused": Text("Mandate refused", "拒絕委任"),
            "mandate.taken_up": Text("Began to act for another", "開始代理"),
            "mandate.ended": Text("Mandate ended", "代理終止"),
        },
        needs=("ops", "audit", "directory", "identity", "exchange", "notify", "signing"),
        menu=(MenuItem("mandates:list", Text("Act for others", "代理他人"), "mandates.hold", 55),),
        periodic=(
            Periodic(
                "mandates.expire",
                60,
                "smartgov.blocks.mandates.api.expire",
                Text("Ends mandates whose time or age limit is over", "終止期限或年齡屆滿之代理"),
            ),
        ),
    )

    def ready(self) -> None:
        """Vouch for mandates towards `identity`, and for those behind signatures towards `signing`."""
        from smartgov.blocks.identity.api import register_mandates
        from smartgov.blocks.mandates.drawing import Mandates
        from smartgov.blocks.signing.api import register_mandates as register_keeper

        register_mandates(Mandates())
        register_keeper(Mandates())
