"""The problems of `credentials`."""

from __future__ import annotations

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

NOT_ISSUED = Problem(
    "certificate-not-ready",
    404,
    what=Text("The certificate is not ready yet.", "證明書尚未完成。"),
    why=Text("The agency is still sealing it.", "機關正在加蓋電子印章。"),
    todo=Text("Try again in a minute.", "請於一分鐘後再試。"),
)
ALREADY_REVOKED = Problem(
    "certificate-revoked",
    409,
    what=Text("This certificate was already revoked.", "此證明書已廢止。"),
    todo=Text("Nothing to do.", "無須處理。"),
)
REASON_UNKNOWN = Problem(
    "revocation-reason-unknown",
    422,
    what=Text("A revocation needs one of the listed reasons.", "廢止須選擇所列原因之一。"),
    todo=Text("Choose a reason.", "請選擇原因。"),
)
TOO_MANY = Problem(
    "too-many-lookups",
    429,
    what=Text("Too many look-ups from your address.", "查詢次數過多。"),
    why=Text("This protects holders from guessing of codes.", "為防止猜測代碼，查詢次數有上限。"),
    todo=Text("Wait fifteen minutes, then scan the code again.", "請於十五分鐘後再掃描。"),
)
FILE_TOO_LARGE = Problem(
    "file-too-large",
    413,
    what=Text("The file is larger than 5 MB.", "檔案超過 5 MB。"),
    todo=Text("Upload the certificate as you downloaded it.", "請上傳原始下載的證明書檔案。"),
)
FILE_MISSING = Problem(
    "file-missing",
    422,
    what=Text("No file was chosen.", "尚未選擇檔案。"),
    todo=Text("Choose the PDF and send it again.", "請選擇 PDF 檔案後重新送出。"),
)
