"""An issuer, a verifier and a wallet in one process, with a little authority that vouches for both."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from smartgov.engines.credential import issuing, presenting, sdjwt, status, tokens, verifiers
from smartgov.engines.credential.memory import InProcess
from smartgov.engines.credential.wallet import Wallet
from smartgov.engines.pki import certificates, keys
from smartgov.shared import clock
from smartgov.shared.text import Text

ISSUER = "https://credentials.example.tw/ris"
VCT = "https://credentials.example.tw/vct/birth"
LIST = "https://credentials.example.tw/lists/1"
FACTS = {
    "child_name": "林安安",
    "birth_date": "2026-11-12",
    "sex": "female",
    "residence": {"township": "臺北市文山區", "village": "平安里"},
}


class Country:
    """The parties; `wire` is what the wallet reaches."""

    def __init__(self, folder):
        self.ca = certificates.CertificateAuthority.create(folder / "ca", "Credential Authority")
        self.issuer_key, self.issuer_certificate = self.certified("戶政司", "TW/GOV/ris")
        self.verifier_key, self.verifier_certificate = self.certified("國小", "TW/GOV/school")
        self.memory, self.list, self.minted = InProcess(), status.StatusList(1000), 0
        kinds = {
            "birth": issuing.Configuration(
                "birth", VCT, Text("Birth", "出生證明"), ((("child_name",), Text("n", "名")),)
            )
        }
        self.issuer = issuing.Issuer(ISSUER, kinds, self.memory, self.mint, name=Text("Registry", "戶政司"))
        allowed = {VCT: (("child_name",), ("residence", "township"))}
        until = clock.now() + timedelta(days=30)
        self.client_id = presenting.client_id_of(self.verifier_certificate)
        self.register = [
            verifiers.Verifier(self.client_id, Text("School", "國小"), Text("Enrol", "入學"), allowed, until)
        ]
        self.wallet = Wallet(self.wire, lambda: self.register)
        self.asked, self.results = {}, []

    def certified(self, name, organisation):
        key = keys.generate_p256()
        return key, self.ca.issue(key.public_key(), common_name=name, organisation=organisation, usage="seal")

    def mint(self, grant, configuration, holders):
        return [self.credential(grant["facts"], holder) for holder in holders]

    def credential(self, facts, holder, **more):
        index = status.place(self.minted, b"k" * 32, 1000)
        self.minted += 1
        now = clock.now()
        settings = {"issued_at": now, "expires_at": now + timedelta(days=30), "status": (LIST, index)}
        return sdjwt.issue(
            facts,
            vct=VCT,
            issuer=ISSUER,
            holder=holder,
            sign=tokens.signer(self.issuer_key),
            x5c=tokens.chain_header(self.issuer_certificate),
            **{**settings, **more},
        )

    def find_key(self, header, payload):
        found = tokens.trusted_certificate(header, [self.ca.certificate], clock.now())
        return certificates.public_key(found)

    def look_up(self, uri, index):
        assert uri == LIST
        return status.Status(self.list[index])

    def ask(self, query):
        asked = presenting.ask(self.client_id, query, "https://school.example.tw/answer")
        sign, x5c = tokens.signer(self.verifier_key), tokens.chain_header(self.verifier_certificate)
        self.asked["now"] = asked
        return presenting.request_object(asked, sign=sign, x5c=x5c)

    def wire(self, method, url, headers, body):
        path = urlsplit(url).path
        try:
            return 200, json.dumps(self.route(method, path, headers, body)).encode()
        except issuing.ProtocolError as error:
            return error.status, json.dumps(error.as_dict()).encode()

    def route(self, method, path, headers, body):
        form = dict(parse_qsl(body.decode(errors="replace")))
        match path:
            case "/.well-known/openid-credential-issuer/ris":
                return self.issuer.metadata()
            case "/.well-known/oauth-authorization-server/ris":
                return self.issuer.server_metadata()
            case "/ris/token":
                return self.issuer.token(form)
            case "/ris/nonce":
                return self.issuer.nonce()
            case "/ris/credential":
                token = headers["authorization"].removeprefix("Bearer ")
                return self.issuer.credentials(token, json.loads(body))
            case "/answer":
                found = presenting.answered(
                    self.asked["now"], form["response"], find_key=self.find_key, look_up=self.look_up
                )
                self.results.append(found)
                return {}
        raise AssertionError(path)


def query(*paths, vct=VCT):
    claims = [{"path": list(path)} for path in paths]
    one = {"id": "one", "format": sdjwt.TYPE, "meta": {"vct_values": [vct]}}
    return {"credentials": [{**one, "claims": claims} if claims else one]}
