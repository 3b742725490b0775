"""Django configuration and manifest of `exchange`."""

from smartgov.blocks.exchange import centre, issuing, transport, vouching
from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class ExchangeConfig(BlockConfig):
    """T-Road's door for the other blocks, and its administration."""

    name = "smartgov.blocks.exchange"
    label = "exchange"
    manifest = Manifest(
        events={
            "configuration_changed": Text("Something in T-Road's register changed", "T-Road 登記事項異動"),
            "certificate_ordered": Text("A gateway ordered a certificate", "閘道申請憑證"),
            "ending_near": Text("A right or certificate ends soon", "權限或憑證即將到期"),
        },
        listeners={
            "republish": Text("Publishes the configuration", "發布組態"),
            "issue_ordered": Text("Issues the certificate", "簽發憑證"),
        },
        deeds={
            "exchange.published": Text("Configuration published", "發布組態"),
            "exchange.right_granted": Text("Right granted", "授予權限"),
            "exchange.right_revoked": Text("Right revoked", "廢止權限"),
            "exchange.right_limited": Text("Right given an end", "設定權限期限"),
            "exchange.right_renewed": Text("Right renewed", "展延權限"),
            "exchange.right_withdrawn": Text("Right given up", "放棄權限"),
            "exchange.member_registered": Text("Member registered", "登錄成員"),
            "exchange.gateway_registered": Text("Gateway registered", "登錄閘道"),
            "exchange.gateway_moved": Text("Gateway moved", "閘道移址"),
            "exchange.gateway_keys_changed": Text("Gateway keys changed", "閘道更換金鑰"),
            "exchange.subsystem_registered": Text("Subsystem registered", "登錄子系統"),
            "exchange.service_published": Text("Service published", "發布服務"),
            "exchange.service_withdrawn": Text("Service withdrawn", "撤下服務"),
            "exchange.issuer_registered": Text("Issuer registered", "登錄簽發者"),
            "exchange.seal_authority_registered": Text("Seal authority registered", "登錄印章憑證機構"),
            "exchange.request_asked": Text("Right asked for", "申請權限"),
            "exchange.request_granted": Text("Request granted", "核准申請"),
            "exchange.request_refused": Text("Request refused", "駁回申請"),
            "exchange.request_withdrawn": Text("Request withdrawn", "撤回申請"),
            "exchange.consents_revoked": Text("Revoked consents published", "公告已撤回同意"),
            "exchange.join_asked": Text("Asked to join", "申請加入"),
            "exchange.join_approved": Text("Joining approved", "核准加入"),
            "exchange.join_refused": Text("Joining refused", "駁回加入"),
            "exchange.certificate_issued": Text("Gateway's certificate issued", "簽發閘道憑證"),
            "exchange.certificates_revoked": Text("Gateway's certificates revoked", "廢止閘道憑證"),
            "exchange.offer_signed": Text("Offer signed by its member", "成員簽署服務清單"),
        },
        needs=("ops", "audit", "directory", "identity"),
        permissions={
            "exchange.view": Text("See members, services, rights and traffic", "檢視成員、服務、權限與流量"),
            "exchange.offer": Text("Publish the agency's own services", "發布本機關之服務"),
            "exchange.ask": Text("Ask for rights for the agency's own systems", "為本機關之資訊系統申請權限"),
            "exchange.review": Text("Review requests for the agency's own services", "審核對本機關服務之申請"),
            "exchange.admit": Text("Admit gateways and revoke their certificates", "核准閘道加入與廢止其憑證"),
        },
        menu=(MenuItem("exchange:members", Text("T-Road", "T-Road"), "exchange.view", 60),),
        periodic=(
            Periodic(
                "exchange.keep_published",
                5,
                "smartgov.blocks.exchange.api.keep_published",
                Text(
                    "Publishes T-Road's configuration anew, hourly and when a right ends",
                    "每小時及權限屆期時重新發布 T-Road 設定",
                ),
            ),
            Periodic(
                "exchange.remind_of_endings",
                3600,
                "smartgov.blocks.exchange.api.remind_of_endings",
                Text("Tells whoever may renew a right or certificate that it ends", "通知有權展延者權限或憑證即將到期"),
            ),
            Periodic(
                "exchange.keep_joining",
                30,
                "smartgov.blocks.exchange.api.keep_joining",
                Text(
                    "Issues gateways' certificates; lets requests lapse that nobody decided",
                    "簽發閘道憑證，並使無人審核之申請失效",
                ),
            ),
        ),
    )

    def ready(self) -> None:
        """Declare the event; speak to the gateways of this machine, and as the centre where its key lies."""
        from smartgov.blocks.exchange.adapters.centre import HomeCentre
        from smartgov.blocks.exchange.adapters.gateways import Gateways
        from smartgov.blocks.exchange.adapters.issuing import HomeIssuing
        from smartgov.blocks.exchange.adapters.vouching import HomeVouching
        from smartgov.blocks.exchange.joining import certificates_check
        from smartgov.blocks.ops.api import declare_events, register_check

        declare_events("exchange", {"configuration_changed": ("change",), "certificate_ordered": ("gateway",)})
        declare_events("exchange", {"ending_near": ("kind", "object", "stage")})
        words = Text("Gateways' certificates are renewed in time", "閘道憑證按時更新")
        register_check("gateway-certificates", certificates_check, words)
        issuing.register(HomeIssuing())
        transport.register(Gateways())
        vouching.register(HomeVouching())
        centre.register(HomeCentre())
