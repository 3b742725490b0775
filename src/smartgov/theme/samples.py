"""What the gallery shows: invented, and a little longer than life, because that is where pages break."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

HOUSEHOLDS = Text("Department of Household Registration, Ministry of the Interior", "內政部戶政司")
HEALTH = Text("Health Promotion Administration, Ministry of Health and Welfare", "衛生福利部國民健康署")
FAMILIES = Text("Social and Family Affairs Administration", "衛生福利部社會及家庭署")
LABOUR = Text("Bureau of Labor Insurance", "勞動部勞工保險局")
LAW = {
    "title": Text("Household Registration Act", "戶籍法"),
    "article": Text("Article 48", "第48條"),
    "url": "https://law.moj.gov.tw/LawClass/LawAll.aspx?pcode=D0030006",
}


def samples() -> dict[str, Any]:
    """The gallery's data, by component."""
    now = clock.now()
    return {
        "households": HOUSEHOLDS,
        "health": HEALTH,
        "question_title": Text("Whose surname does the child take?", "寶寶從誰的姓？"),
        "surnames": [
            ("father", Text("The father's surname", "從父姓"), Text("Lin", "林")),
            ("mother", Text("The mother's surname", "從母姓"), Text("Ouyang", "歐陽")),
            {
                "value": "lot",
                "label": Text("By drawing lots at the household office", "於戶政事務所抽籤"),
                "hint": Text("Only when the parents do not agree.", "父母無法達成協議時適用。"),
                "disabled": True,
            },
        ],
        "applied": ["registration", "allowance"],
        "parts": [
            ("registration", Text("Birth registration (always)", "出生登記（必辦）")),
            ("nhi", Text("Health insurance and card for the newborn", "新生兒健保加保與健保卡")),
            ("allowance", Text("Childcare allowance for children under 2", "未滿2歲育兒津貼")),
        ],
        "wrong": {
            "given_name": Text("Given name must be 1 to 4 Chinese characters", "名字須為1至4個中文字"),
            "moved_on": Text("This day does not exist", "沒有這一天"),
        },
        "impossible_day": {"y": "115", "m": "2", "d": "30"},
        "consent_fields": [
            Text("Date of birth", "出生日期"),
            Text("Sex", "性別"),
            Text("Weeks of pregnancy", "懷孕週數"),
            Text("Hospital", "出生醫療院所"),
        ],
        "timeline": _timeline(now),
        "explanation": _explanation(),
        "papers": [
            Text("Certificate of birth from the hospital", "醫院出生證明書"),
            Text("Household register transcript of both parents", "父母雙方戶籍謄本"),
            Text("Labour insurance record", "勞保投保紀錄"),
            Text("Cover page of the bank book", "存摺封面影本"),
        ],
        "summary": _summary(),
        "case_columns": [
            Text("Case", "案號"),
            Text("Applicant", "申請人"),
            Text("Part", "項目"),
            Text("Waits for", "待辦"),
        ],
        "cases": [
            (
                "2611-000417",
                "歐陽美麗．瑪麗亞．古力古力",
                Text("Birth registration", "出生登記"),
                Text("Decision", "核定"),
            ),
            ("2611-000418", "林小美", Text("Maternity benefit", "勞保生育給付"), Text("Wages of May", "五月投保薪資")),
            ("2611-000419", "陳大文", Text("Childcare allowance", "育兒津貼"), Text("Second release", "複核放行")),
        ],
        "step_names": [Text("Tell", "填寫"), Text("Agree", "同意"), Text("Check", "確認"), Text("Send", "送出")],
        "figures": [
            (Text("Open cases", "待辦案件"), 42),
            (Text("Due this week", "本週到期"), 7),
            (Text("Late", "已逾期"), 1, "bad"),
        ],
        "problem": _problem(),
    }


def _timeline(now: Any) -> list[dict[str, Any]]:
    return [
        {
            "title": Text("You sent the application", "您已送出申請"),
            "state": "done",
            "at": now - timedelta(days=2, hours=3),
            "text": Text("One application, four agencies.", "一次申請，四個機關分辦。"),
        },
        {
            "title": Text("Birth registered", "出生登記完成"),
            "state": "done",
            "at": now - timedelta(days=1),
            "agency": HOUSEHOLDS,
            "href": "#certificate",
            "link": Text("Download the certificate", "下載電子證明"),
        },
        {
            "title": Text("Childcare allowance is being checked", "育兒津貼審核中"),
            "state": "active",
            "agency": FAMILIES,
            "due": clock.today() + timedelta(days=6),
        },
        {
            "title": Text("Maternity benefit waits for a fact", "生育給付等待資料"),
            "state": "waiting",
            "agency": LABOUR,
            "text": Text(
                "The tax agency does not answer at the moment. We ask again by ourselves; you need do nothing.",
                "財政部系統暫時沒有回應，我們會自動再查詢，您不必做任何事。",
            ),
        },
        {
            "title": Text("A letter came back", "通知無法送達"),
            "state": "bad",
            "text": Text("Check your e-mail address.", "請確認您的電子郵件。"),
            "href": "#contact",
            "link": Text("Correct it", "更正"),
        },
        {"title": Text("Money in your account", "款項入帳"), "state": "todo"},
    ]


def _explanation() -> list[dict[str, Any]]:
    allowance = {
        "title": Text("Childcare Allowance Directions", "未滿二歲兒童育兒津貼作業要點"),
        "article": Text("Point 3", "第3點"),
        "url": "https://www.sfaa.gov.tw/",
    }
    return [
        {
            "text": Text("The child is under two", "兒童未滿二歲"),
            "holds": True,
            "value": Text("17 days old", "出生17天"),
        },
        {
            "text": Text("The child is not in public care", "未接受公共化或準公共托育"),
            "holds": True,
            "source": allowance,
            "children": [
                {"text": Text("No place in a public nursery", "未就讀公立托嬰中心"), "holds": True},
                {"text": Text("No placement by the state", "未經政府公費安置"), "holds": None},
            ],
        },
        {
            "text": Text("Amount a month for the second child", "第二名子女每月金額"),
            "holds": None,
            "value": "NT$6,000",
            "source": allowance,
        },
        {
            "text": Text("Insured for 280 days before the birth", "分娩前投保滿280日"),
            "holds": False,
            "value": Text("214 days", "214日"),
            "source": LAW,
        },
    ]


def _summary() -> list[Any]:
    return [
        (Text("Child's name", "寶寶姓名"), "歐陽安安", "#name"),
        {
            "label": Text("Household", "戶籍"),
            "value": Text("No. 1, Sec. 1, Zhongshan Rd., Banqiao", "新北市板橋區中山路一段1號"),
            "note": Text("The mother's household", "母親的戶籍"),
            "change": "#household",
        },
        (Text("Paid to", "匯入帳戶"), "004-0012****5678", "#account"),
        (Text("Mobile phone", "手機"), None, "#phone"),
    ]


def _problem() -> Problem:
    return Problem(
        "member-unreachable",
        504,
        what=Text("The tax agency does not answer.", "財政部系統沒有回應。"),
        why=Text(
            "Its gateway did not answer within 20 seconds. Your answers are saved.",
            "對方閘道二十秒內沒有回應。您填寫的內容已經儲存。",
        ),
        todo=Text(
            "You need do nothing: we ask again by ourselves and write to you. Or try again in a few minutes.",
            "您不必做任何事：我們會自動再查詢並通知您，或請過幾分鐘再試一次。",
        ),
    )
