"""What the country is drawn from: the targets of data/margins.yaml, and shapes that nothing is held against.

All are rounded shares in the neighbourhood of published statistics of Taiwan. They are inputs, not claims: nothing here
is a statistic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smartgov.shared import content

DATA = Path(__file__).parent / "data"
TARGETS: dict[str, dict[str, Any]] = content.read(DATA / "margins.yaml")

AGE_GROUPS: tuple[int, ...] = tuple(TARGETS["age_groups"]["values"])  # per mille, 0-4 to 90-94
BIRTH_MONTHS: tuple[float, ...] = tuple(TARGETS["birth_months"]["values"])
DEATHS: float = TARGETS["deaths_per_1000"]["values"]["all"] / 1000
AGE_AT_DEATH = (3, 1, 1, 2, 4, 5, 7, 12, 18, 25, 35, 48, 65, 85, 95, 110, 140, 150, 120, 74)  # per mille, 0-4 to 95-99
FEMALE = (0.482, 0.483, 0.492, 0.502, 0.513, 0.552, 0.592)  # at 0, 15, 30, ... 90 years
MOTHER_AGE_MEAN, MOTHER_AGE_SPREAD, MOTHER_AGE_MIN, MOTHER_AGE_MAX = 30.5, 4.8, 18.0, 45.0
# Share ever married at the ages 20, 25, 30, ... 80, and of these divorced and widowed.
EVER_MARRIED = (0.01, 0.08, 0.32, 0.58, 0.72, 0.79, 0.84, 0.88, 0.92, 0.94, 0.95, 0.96, 0.96)
DIVORCED = (0.00, 0.07, 0.10, 0.14, 0.18, 0.20, 0.21, 0.21, 0.19, 0.15, 0.11, 0.08, 0.05)
WIDOWED = (0.00, 0.00, 0.00, 0.00, 0.005, 0.005, 0.01, 0.02, 0.04, 0.08, 0.13, 0.21, 0.36)
# Chance that a person of 0, 10, 20, ... 90 years has a living mother.
MOTHER_ALIVE = (1.0, 0.995, 0.99, 0.98, 0.95, 0.85, 0.62, 0.30, 0.05, 0.0)

# Share in labour insurance at the ages 15, 20, ... 65, of men and women; in farmers' insurance from 15 to 85 by tens.
LABOUR = (
    (0.07, 0.66, 0.93, 0.94, 0.93, 0.92, 0.90, 0.84, 0.72, 0.50, 0.18),
    (0.07, 0.68, 0.93, 0.92, 0.90, 0.88, 0.83, 0.74, 0.57, 0.34, 0.10),
)
FARMERS = (0.0, 0.006, 0.013, 0.028, 0.06, 0.115, 0.155, 0.12)
PUBLIC = 0.035  # of people of 23 to 64: servants of the state and teachers, with an insurance of their own
PENSIONED = 0.85  # of those of 25 to 64 without another insurance
UNION = 0.19  # of the labour insured: members of occupational unions, without employment insurance
# Monthly insured wages (投保薪資) by grade; the lowest is the minimum wage of 2026.
WAGE_GRADES = (29_500, 30_300, 31_800, 33_300, 34_800, 36_300, 38_200, 40_100, 42_000, 43_900, 45_800)
WAGE_DECILES: tuple[int, ...] = tuple(TARGETS["wage_deciles"]["values"])
# Upper limits of the first nine tenths of household income a head, NT$ a year, in this country as it is drawn.
INCOME_DECILES = (50_000, 110_000, 160_000, 210_000, 260_000, 310_000, 380_000, 470_000, 640_000)

SURNAMES = (
    "陳111 林83 黃60 張53 李51 王41 吳40 劉32 蔡29 楊27 許23 鄭19 謝18 洪15 郭15 邱15 曾15 廖14 賴13 徐13 周12 葉12 "
    "蘇12 莊9 呂9 江9 何8 蕭8 羅8 高8 潘7 簡7 朱7 鍾7 游6 彭6 詹6 胡6 施6 沈6 余5 盧5 梁5 趙5 顏5 柯5 翁5 魏5 孫4 戴4 "
    "范4 方4 宋4 鄧4 杜3 傅3 侯3 曹3 薛3 丁3 卓3 馬3 董3 唐2 溫2 藍2 蔣2 石2 古2 紀2 姚2 連2 歐2 "
    "馮2 程2 湯2 田2 康2 姜2"
)
# Characters of given names by sex and the decade in which they were common: (born before, male, female).
GIVEN = (
    (1960, "文明正義金水清福德榮春木松添財旺枝海川坤", "秀玉美麗淑月金春寶珠蘭枝鳳英桂香梅雪惠碧"),
    (1985, "志明俊傑建宏家豪文雄國榮信賢政德宗漢銘偉", "淑芬美玲雅惠麗華怡君佩珍慧娟秀琴素貞婉如"),
    (2005, "家豪冠宇承翰宗憲彥廷柏翔哲維俊賢育誠建勳", "怡君雅婷佳穎詩涵宜臻欣怡思妤郁雯佩珊筱涵"),
    (9999, "宥廷承恩品睿柏宇子翔冠勳宸佑禹辰奕安沐澤", "品妍子晴詩恩羽彤語芯若瑜苡甯采潔昕霏沁蕎"),
)

# Characters outside Big5, which registers that were once kept in it cannot write.
RARE = "喆堃煊犇峯恒綉"

ROADS = (
    "中山路",
    "中正路",
    "民生路",
    "民權路",
    "光復路",
    "復興路",
    "和平路",
    "信義路",
    "成功路",
    "文化路",
    "建國路",
    "仁愛街",
)
HOSPITALS = ("示範醫院", "和平示範醫院", "仁愛示範婦產科診所", "健康示範醫學中心")
EMPLOYERS_PER_VILLAGE = 180
CAST_EMPLOYER = "示範精密股份有限公司"
EMPLOYER_STEMS = "大順永豐宏達新光泰和佳興金鼎立穎全盛東昇長榮廣益"
EMPLOYER_KINDS = (
    "實業有限公司",
    "精密股份有限公司",
    "食品行",
    "資訊股份有限公司",
    "貿易有限公司",
    "工程行",
    "診所",
    "商行",
)
BANKS = ("004", "005", "006", "007", "008", "012", "013", "017", "700", "812", "822")

# Known dirt of each register: what is wrong, in which share of its rows (of names in Big5: of the rows with a letter
# that Big5 lacks; of swapped dates: of the rows whose day may be a month). People of a cast are spared.
DIRT = {
    "ris.address_full_width": 0.010,  # digits of the address in full-width form
    "ris.variant_character": 0.005,  # 台 for 臺 in the township
    "ris.death_birth_date_swapped": 0.005,  # day and month changed places
    "hpa.mother_name_trailing_space": 0.010,
    "nhi.insured_twice": 0.003,  # an ended row and a current one both say `insured`
    "sfaa.disability_twice": 0.004,
    "bli.employer_short_form": 0.020,  # 股份有限公司 written （股）公司
    "bli.farmer_name_big5": 0.60,  # a question mark or a private code point for a letter that Big5 lacks
    "bli.farmer_birth_date_swapped": 0.004,
    "mof.holder_trailing_space": 0.010,
    "mof.holder_big5": 0.40,
    "moe.birth_date_swapped": 0.003,
    "moe.degree_field_missing": 0.020,
    "dla.owner_name_big5": 0.50,
    "moea.responsible_name_big5": 0.50,
    "thb.address_stale": 0.060,  # where the owner no longer lives
    "thb.birth_date_missing": 0.012,
}
