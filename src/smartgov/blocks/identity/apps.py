"""Django configuration and manifest of `identity`."""

from smartgov.blocks.ops.manifest import BlockConfig, Manifest, MenuItem, Periodic
from smartgov.shared.text import Text


class IdentityConfig(BlockConfig):
    """Subjects, accounts, seats, sign-in."""

    name = "smartgov.blocks.identity"
    label = "identity"
    manifest = Manifest(
        events={
            "account_touched": Text("Something about an account changed", "帳號異動"),
            "openid_session_ended": Text("A sign-in to a service ended", "對服務之登入已結束"),
        },
        listeners={
            "tell_logout": Text("Tells the service", "通知該服務"),
        },
        permissions={
            "identity.account": Text("See one's own account, devices and sign-ins", "檢視自己的帳號、裝置與登入紀錄"),
            "identity.counter": Text("Prove people anew at the counter", "臨櫃重新核驗身分"),
            "identity.parties": Text("Register services that sign people in", "登錄使用登入的服務"),
            "identity.parties_approve": Text("Approve services that sign people in", "審核使用登入的服務"),
        },
        deeds={
            "account.enrolled": Text("Person entered", "建立帳號"),
            "account.updated": Text("Account updated", "更新帳號"),
            "account.closed": Text("Account closed", "關閉帳號"),
            "seat.given": Text("Seat given", "授予職務"),
            "seat.ended": Text("Seat ended", "終止職務"),
            "mobile_key.added": Text("Phone enrolled", "登錄手機"),
            "mobile_key.removed": Text("Phone removed", "移除手機"),
            "certificate.bound": Text("Certificate recognised", "綁定自然人憑證"),
            "certificate.removed": Text("Certificate forgotten", "解除自然人憑證綁定"),
            "passkey.added": Text("Passkey made", "建立通行密鑰"),
            "passkey.removed": Text("Passkey removed", "移除通行密鑰"),
            "identity.national_id_read": Text("National id read", "讀取身分證統一編號"),
            "identity.name_read": Text("Name read", "讀取姓名"),
            "identity.contact_read": Text("Contact read", "讀取聯絡方式"),
            "passkey.copied": Text("Passkey stopped: it may have been copied", "停用疑遭複製的通行密鑰"),
            "authenticator_app.added": Text("Authenticator app set up", "設定驗證器"),
            "authenticator_app.removed": Text("Authenticator app removed", "移除驗證器"),
            "recovery_codes.made": Text("Recovery codes made", "產生備援碼"),
            "password.set": Text("Password set", "設定密碼"),
            "password.removed": Text("Password removed", "移除密碼"),
            "browser.trusted": Text("Browser trusted", "信任瀏覽器"),
            "browser.forgotten": Text("Browser forgotten", "移除瀏覽器"),
            "session.killed": Text("Session ended from elsewhere", "自他處結束登入"),
            "sessions.others_ended": Text("Signed out everywhere else", "登出其他裝置"),
            "recovery.begun": Text("Account recovery begun", "申請帳號復原"),
            "recovery.proven": Text("Person proven anew for a recovery", "完成復原的身分核驗"),
            "recovery.stopped": Text("Account recovery stopped", "停止帳號復原"),
            "recovery.done": Text("Account recovery finished", "帳號復原完成"),
            "session.opened": Text("Signed in", "登入"),
            "openid.granted": Text("Signed in to a service", "登入其他服務"),
            "openid.revoked": Text("Access of a service revoked", "撤銷服務的存取"),
            "openid.withdrawn": Text("Agreement with a service taken back", "撤回對服務的同意"),
            "party.registered": Text("Service registered", "登錄服務"),
            "party.changed": Text("Service's registration changed", "變更服務登錄"),
            "party.submitted": Text("Service submitted for approval", "送審服務"),
            "party.approved": Text("Service approved", "核准服務"),
            "party.refused": Text("Service refused", "退回服務"),
            "party.suspended": Text("Service suspended", "停用服務"),
            "sessions.ended": Text("Signed out everywhere", "登出所有裝置"),
        },
        needs=("ops", "audit", "directory"),
        menu=(
            MenuItem("identity:counter", Text("Prove people anew", "臨櫃核驗"), "identity.counter", 60),
            MenuItem("identity:parties", Text("Relying parties", "登入介接服務"), "identity.parties", 70),
            MenuItem("identity:parties", Text("Relying parties", "登入介接服務"), "identity.parties_approve", 70),
        ),
        periodic=(
            Periodic(
                "identity.expire",
                300,
                "smartgov.blocks.identity.expiry.expire",
                Text("Ends sessions, requests and codes whose time is over", "清除逾時的登入、請求與驗證碼"),
            ),
            Periodic(
                "identity.party_keys",
                600,
                "smartgov.blocks.identity.openid.party_keys.look_again",
                Text("Looks for new keys of services that sign people in", "查看登入介接服務的新公鑰"),
            ),
        ),
    )

    def ready(self) -> None:
        """Stand at the gate of every block's doors, and connect the service behind the phones."""
        from smartgov.blocks.audit.api import register_seat_titles
        from smartgov.blocks.identity import accounts, mobile
        from smartgov.blocks.identity.adapters.card import CardHelper
        from smartgov.blocks.identity.adapters.enrolment import EnrolmentService
        from smartgov.blocks.identity.adapters.fetching import fetch
        from smartgov.blocks.identity.adapters.moica import Moica
        from smartgov.blocks.identity.adapters.phone import PhoneCode, PhonePush
        from smartgov.blocks.identity.adapters.twfido import TwFido
        from smartgov.blocks.identity.gate import SessionGate
        from smartgov.blocks.identity.means import connected
        from smartgov.blocks.identity.openid import logouts, outward
        from smartgov.blocks.identity.people import phones, telling
        from smartgov.blocks.identity.ports import Means
        from smartgov.blocks.ops.api import declare_events, register_gate

        declare_events("identity", {**logouts.EVENTS, **telling.EVENTS})

        register_gate(SessionGate())
        register_seat_titles(accounts.title_of_seat)
        mobile.register_service(PhonePush(), PhoneCode())
        phones.register_service(EnrolmentService())
        outward.register_fetch(fetch)
        means: dict[str, Means] = {connected.CARD: CardHelper(), connected.TWFIDO: TwFido()}
        connected.register(connected.Connected(means, Moica()))
