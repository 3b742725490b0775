"""Approvals on the phone, states of documents and batches, and what a checked file looks like. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from smartgov.engines.pki import keys
from smartgov.shared import canonical, clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

APPROVAL_LIFE = timedelta(minutes=5)
TOLERANCE = timedelta(seconds=30)
KEPT_FOR = timedelta(days=30)
LARGEST_FILE = 5 * 2**20
MOST_IN_BATCH = 500
NEEDED_ASSURANCE = 2
OFFICE = "ris"
"""The agency whose officers run the registration office of the citizens' authority."""


class Kind(StrEnum):
    """What a person approves on the phone here."""

    REQUEST = "csr"
    ACTIVATE = "activate"
    SIGN = "sign"


TEXTS: dict[Kind, Text] = {
    Kind.REQUEST: Text("Make a key for signatures on this phone", "在此手機產生簽章金鑰"),
    Kind.ACTIVATE: Text("Activate your signing certificate", "啟用您的簽章憑證"),
    Kind.SIGN: Text("Sign the document shown below. It binds you.", "簽署下列文件，簽署後即生效力。"),
}


PHONE = "phone"
"""What signs besides the means of the state (`card`, `twfido`): the platform's own certificate, on the phone."""
MEANS: dict[str, Text] = {
    PHONE: Text("Signing certificate on your phone", "手機上的簽章憑證"),
    "card": Text("Citizen certificate card", "自然人憑證 IC 卡"),
    "twfido": Text("Mobile citizen certificate (TW FidO)", "行動自然人憑證（TW FidO）"),
}
LACKS: dict[str, Text] = {
    "no-certificate": Text("You have no certificate in force.", "目前沒有有效的憑證。"),
    "no-phone": Text("No phone is enrolled for you.", "尚未登錄手機。"),
    "not-connected": Text("It is not connected here.", "本平臺尚未介接。"),
    "not-linked": Text(
        "It is not linked to you here: sign in with it once, then it can sign.", "尚未綁定：先以它登入一次即可簽署。"
    ),
    "expired": Text(
        "It has expired: have it renewed, then sign in with it once.", "已到期：請展期或換發後以它登入一次。"
    ),
    "not-trusted": Text("Its authority is not trusted here.", "其憑證機構未受本平臺信任。"),
}
"""Why a means is not offered to a person."""
WAYS: dict[str, tuple[str, str]] = {
    PHONE: (PHONE, ""),
    "card": ("card", ""),
    "twfido": ("twfido", "push"),
    "twfido-app": ("twfido", "app"),
    "twfido-code": ("twfido", "code"),
}
"""What a person may choose on the page: the means, and by which way its app is reached."""
WAY_TITLES: dict[str, Text] = {
    **MEANS,
    "twfido-app": Text("TW FidO: the app is on this device", "TW FidO：APP 就在此裝置"),
    "twfido-code": Text("TW FidO: scan a code with the app", "TW FidO：以 APP 掃描行動條碼"),
}
LEVELS: dict[str, Text] = {
    "B-B": Text("Signature alone", "僅簽章"),
    "B-T": Text("With a trusted time", "附可信時戳"),
    "B-LT": Text("With a trusted time and proof that lasts", "附可信時戳與長期效力證明"),
}
"""The levels of PAdES (ETSI EN 319 142-1) in words."""


class DocumentState(StrEnum):
    """Where a document on the desk stands."""

    DRAFT = "draft"
    SIGNED = "signed"


class BatchState(StrEnum):
    """Where a batch stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


BATCH_STATES: dict[BatchState, Text] = {
    BatchState.RUNNING: Text("Being sealed", "加蓋中"),
    BatchState.STOPPED: Text("Stopped", "已暫停"),
    BatchState.DONE: Text("Done", "已完成"),
}


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document on the desk; `fingerprint` is of the file that was uploaded."""

    id: str
    name: str
    state: DocumentState
    uploaded_at: datetime
    shown: bool
    signed_at: datetime | None
    means: str = ""
    level: str = ""
    issuer: str = ""
    stamped_at: datetime | None = None

    @property
    def means_title(self) -> Text:
        """With what it was signed, in words."""
        return MEANS.get(self.means, MEANS[PHONE])

    @property
    def level_title(self) -> Text:
        """How long the signature can be shown to hold, in words."""
        return LEVELS.get(self.level, Text("", ""))


@dataclass(frozen=True, slots=True)
class Choice:
    """One means that a person may or may not sign with; `lack` says why not."""

    means: str
    title: Text
    lack: Text | None = None
    issuer: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaperView:
    """A document that waits for a card or for TW FidO; `opened` says how its owner reaches them."""

    id: str
    means: str
    number: str
    document: str
    document_name: str
    fingerprint: str
    opened: Any
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A request that waits on the phone; `fingerprint` is of what will be signed, empty for other kinds."""

    id: str
    kind: Kind
    number: str
    document: str
    document_name: str
    fingerprint: str
    link: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch and how far it is."""

    id: str
    name: str
    state: BatchState
    done: int
    failed: int
    total: int
    begun_at: datetime

    @property
    def state_title(self) -> Text:
        """The state in words."""
        return BATCH_STATES[self.state]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One document of a batch."""

    number: int
    name: str
    state: str
    problem: str


def is_pdf(content: bytes) -> bool:
    """Whether a file says that it is a PDF; others are signed beside themselves."""
    return content.startswith(b"%PDF-")


def fingerprint(digest: str) -> str:
    """Sixteen digits of a digest in groups of four, for people to compare."""
    return " ".join(digest[place : place + 4].upper() for place in range(0, 16, 4))


def approval_content(
    *, origin: str, nonce: str, number: str, text: Mapping[str, str], issued: str, task: Mapping[str, str]
) -> bytes:
    """The bytes that the phone's own key signs: what was shown, for whom, when, and what is done with it."""
    return canonical.dumps(
        {
            "origin": origin,
            "nonce": nonce,
            "number": number,
            "text": dict(text),
            "issued": issued,
            "task": dict(task),
        }
    )


def is_approved(content: bytes, signature: bytes, jwk: Mapping[str, str]) -> bool:
    """Whether the phone's key signed exactly that."""
    key = keys.from_jwk(dict(jwk))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, content, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def is_fresh(issued: str, *, begun: datetime, now: datetime) -> bool:
    """Whether the phone's time lies within the life of the request (30 s for clocks that differ)."""
    return clock.is_between(issued, begun - TOLERANCE, min(now, begun + APPROVAL_LIFE) + TOLERANCE)


def _problem(slug: str, status: int, what: Text, todo: Text, why: Text | str = "", **extra: Any) -> Problem:
    return Problem(slug, status, what=what, why=why, todo=todo, **extra)


NOT_APPROVED = _problem(
    "not-approved",
    403,
    Text("Nothing was signed.", "未完成簽署。"),
    Text(
        "Start again and compare number and fingerprint on both screens.", "請重新開始，並核對兩個畫面的數字與指紋碼。"
    ),
    Text("The phone refused, or its answer did not match what was shown here.", "手機已拒絕，或回應與此處所示不符。"),
)
_NOT_SIGNED = Text("Nothing was signed.", "未完成簽署。")
_ANOTHER_WAY = Text("Start again, or choose another way to sign.", "請重新開始，或改用其他方式簽署。")
_TODO = {
    "card-locked": Text(
        "Unlock it with your user code on the authority's site, or at a household registration office; or choose"
        " another way to sign.",
        "請以用戶代碼至內政部憑證管理中心網站解鎖，或洽戶政事務所辦理；亦可改用其他方式簽署。",
    ),
    "certificate-revoked": Text(
        "Ask the authority for a new one, or choose another way to sign.", "請重新申辦憑證，或改用其他方式簽署。"
    ),
}
_MISMATCH = Text(
    "The answer is not the one that was asked for here, or not by the certificate that is linked to you.",
    "回應與此處的請求不符，或並非由您綁定的憑證簽署。",
)


def not_signed(why: Problem) -> Problem:
    """What a means said about a sign-in, said about a signature."""
    reason = _MISMATCH if why.slug == "sign-in-refused" else why.why
    slug = "not-approved" if why.slug == "sign-in-refused" else why.slug
    return Problem(slug, why.status, what=_NOT_SIGNED, why=reason, todo=_TODO.get(why.slug, _ANOTHER_WAY))


def does_not_hold(problems: Iterable[str]) -> Problem:
    """The signature that came of it is none that others would take."""
    return Problem(
        "signature-unsound",
        502,
        what=_NOT_SIGNED,
        why=Text("The signature that came back does not hold.", "取得的簽章無法通過驗證。"),
        todo=_ANOTHER_WAY,
        problems=sorted(problems),
    )


ALREADY_SIGNED = _problem(
    "already-signed",
    409,
    Text("This document is signed already.", "此文件已完成簽署。"),
    Text("Download it from your desk.", "請至簽署櫃檯下載。"),
)
CANCELLED = _problem(
    "means-cancelled",
    403,
    _NOT_SIGNED,
    _ANOTHER_WAY,
    Text("You cancelled it, or it was answered before.", "您已取消，或已回應過。"),
)
NOT_SHOWN = _problem(
    "document-not-shown",
    409,
    Text("Open the document first.", "請先開啟文件。"),
    Text("Read it, then sign.", "請閱讀後再簽署。"),
    Text("What was not shown is not signed.", "未曾顯示的文件不得簽署。"),
)
NO_CERTIFICATE = _problem(
    "no-certificate",
    409,
    Text("You have no certificate in force to sign with.", "您沒有有效的簽章憑證。"),
    Text("Ask for one on the signing desk.", "請至簽署櫃檯申請。"),
)
NO_PHONE = _problem(
    "no-phone",
    409,
    Text("No phone is enrolled for you.", "您尚未登錄手機。"),
    Text("Enrol a phone at a counter, then come back.", "請至服務據點登錄手機後再試。"),
)
TOO_WEAK = _problem(
    "assurance-too-low",
    403,
    Text("Signing needs a stronger sign-in.", "簽署須以較高保證等級登入。"),
    Text("Sign in with your phone or a passkey.", "請以手機或通行密鑰登入。"),
)
IN_OWN_NAME_ONLY = _problem(
    "certificate-is-personal",
    403,
    Text("A certificate is asked for in one's own name only.", "憑證僅得以本人名義申請。"),
    Text("Stop acting for somebody else first.", "請先結束代理身分。"),
)
FILE_MISSING = _problem(
    "file-missing", 422, Text("No file was chosen.", "尚未選擇檔案。"), Text("Choose a PDF.", "請選擇 PDF 檔案。")
)
FILE_TOO_LARGE = _problem(
    "file-too-large",
    413,
    Text("The file is larger than 5 MB.", "檔案超過 5 MB。"),
    Text("Choose a smaller one.", "請選擇較小的檔案。"),
)
BATCH_WRONG = _problem(
    "batch-size",
    422,
    Text("A batch holds between 1 and 500 documents.", "每批須為 1 至 500 份文件。"),
    Text("Choose the files again.", "請重新選擇檔案。"),
)
TOO_MANY = _problem(
    "too-many-checks",
    429,
    Text("Too many files were checked from your address.", "查驗次數過多。"),
    Text("Wait fifteen minutes, then try again.", "請於十五分鐘後再試。"),
)
REQUEST_INCOMPLETE = _problem(
    "request-incomplete",
    422,
    Text("The request is not complete.", "申請資料不完整。"),
    Text(
        "Give the name, the kind, and where the proof of identity is on file.", "請填寫姓名、種類及身分查驗資料的檔號。"
    ),
)
AUTHORITY_UNREADABLE = _problem(
    "authority-unreadable",
    422,
    Text("This list is of an authority that is not known here.", "此清冊的憑證機構尚未在此登錄。"),
    Text(
        "Whom this country trusts is entered by its operator, with take_in_crl and the first list.",
        "信任的憑證機構由維運人員以 take_in_crl 指令隨首份清冊登錄。",
    ),
)
