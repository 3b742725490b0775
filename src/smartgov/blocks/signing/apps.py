"""Django configuration and manifest of `signing`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class SigningConfig(BlockConfig):
    """Certificates, the signing desk, seals in batches, and checking."""

    name = "smartgov.blocks.signing"
    label = "signing"
    manifest = Manifest(
        deeds={
            "document.uploaded": Text("Document laid on the desk", "上傳待簽文件"),
            "document.signed": Text("Document signed", "簽署文件"),
            "certificate_key.issued": Text("Signing certificate issued", "簽發簽章憑證"),
            "certificate_key.activated": Text("Signing certificate activated", "啟用簽章憑證"),
            "certificate_key.extended": Text("Signing certificate extended", "簽章憑證展期"),
            "certificate_key.changed": Text("Signing certificate changed", "變更簽章憑證狀態"),
            "outside_list.taken_in": Text("Outside revocation list taken in", "匯入外部憑證廢止清冊"),
            "batch_seal.begun": Text("Batch of seals begun", "開始批次用印"),
            "batch_seal.stopped": Text("Batch of seals stopped", "暫停批次用印"),
            "batch_seal.resumed": Text("Batch of seals resumed", "繼續批次用印"),
        },
        needs=("ops", "audit", "identity", "exchange"),
        permissions={
            "signing.sign": Text("Sign documents with one's own certificate", "以本人憑證簽署文件"),
            "signing.certify": Text("Run the registration office of certificates", "辦理憑證註冊管理"),
            "signing.seal": Text("Have documents sealed in batches", "辦理批次用印"),
        },
        menu=(
            MenuItem("signing:desk", Text("Sign a document", "簽署文件"), "signing.sign", 40),
            MenuItem("signing:certificates", Text("Signing certificates", "簽章憑證"), "signing.certify", 41),
            MenuItem("signing:lists", Text("Revocation lists", "廢止清冊"), "signing.certify", 41),
            MenuItem("signing:batches", Text("Seal in batches", "批次用印"), "signing.seal", 42),
        ),
        periodic=(
            Periodic(
                "signing.seal",
                1,
                "smartgov.blocks.signing.batches.seal_next",
                Text("Puts the agency's seal on documents that wait for it", "為等候的文件蓋上機關憑證印章"),
            ),
        ),
    )

    def ready(self) -> None:
        """Connect the services of this machine."""
        from smartgov.blocks.signing import outside
        from smartgov.blocks.signing.adapters.local import AuthorityService, PhoneService, StampService

        seals = AuthorityService("centre/authority", "/seals")
        outside.register(outside.Services(PhoneService(), AuthorityService(), StampService(), seals))
