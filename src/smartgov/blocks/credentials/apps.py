"""Django configuration and manifest of `credentials`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem
from smartgov.shared.text import Text


class CredentialsConfig(BlockConfig):
    """E-certificates and their checking."""

    name = "smartgov.blocks.credentials"
    label = "credentials"
    manifest = Manifest(
        events={
            "credential_issued": Text("A certificate was issued", "已核發證明書"),
            "credential_revoked": Text("A certificate was revoked", "已廢止證明書"),
        },
        deeds={
            "certificate.begun": Text("Certificate begun", "開始製發證明書"),
            "certificate.issued": Text("Certificate issued", "核發證明書"),
            "credential.offered": Text("Wallet credential offered", "提供錢包憑證"),
            "credential.minted": Text("Wallet credentials issued", "核發錢包憑證"),
            "credential.asked": Text("Wallet credential asked for", "要求出示錢包憑證"),
            "certificate.revoked": Text("Certificate revoked", "廢止證明書"),
        },
        needs=("ops", "audit", "identity", "exchange"),
        permissions={
            "credentials.view": Text("See the certificates of one's agency", "檢視本機關核發的證明書"),
            "credentials.revoke": Text("Revoke certificates of one's agency", "廢止本機關核發的證明書"),
            "credentials.ask": Text("Ask people to show wallet credentials", "要求民眾出示錢包憑證"),
        },
        menu=(
            MenuItem("credentials:desk", Text("Certificates", "證明書"), "credentials.revoke", 30),
            MenuItem("credentials:ask", Text("Ask for a credential", "查驗錢包憑證"), "credentials.ask", 31),
        ),
    )

    def ready(self) -> None:
        """Declare the events, and what wallets may ask for at the provider."""
        from smartgov.blocks.credentials.by_sign_in import DETAIL
        from smartgov.blocks.identity.api import register_detail
        from smartgov.blocks.ops.api import declare_events

        register_detail(DETAIL)
        declare_events(
            "credentials",
            {
                "credential_issued": ("credential", "case", "agency"),
                "credential_revoked": ("credential", "case", "agency"),
            },
        )
