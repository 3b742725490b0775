"""Margins of the made-up country: rounded shares in the neighbourhood of published statistics of Taiwan.

Sources for the orders of magnitude: monthly household registration statistics (age, sex, marriage), the ministry's
report on names, labour and health insurance annual reports. They are inputs, not claims: nothing here is a statistic.
"""

from __future__ import annotations

# Share of each five-year age group, per mille, from 0-4 to 90-94.
AGE_GROUPS = (27, 38, 44, 43, 50, 62, 68, 69, 84, 82, 76, 75, 76, 71, 57, 35, 24, 13, 6)
FEMALE_SHARE_YOUNG, FEMALE_SHARE_OLD = 0.482, 0.56  # below and from 65 years
MOTHER_AGE_MEAN, MOTHER_AGE_SPREAD, MOTHER_AGE_MIN, MOTHER_AGE_MAX = 30.5, 4.8, 18.0, 45.0
# Share ever married at the ages 20, 25, 30, ... 80, and of these divorced and widowed.
EVER_MARRIED = (0.01, 0.08, 0.32, 0.58, 0.72, 0.79, 0.84, 0.88, 0.92, 0.94, 0.95, 0.96, 0.96)
DIVORCED = (0.00, 0.05, 0.07, 0.10, 0.13, 0.15, 0.16, 0.16, 0.14, 0.11, 0.08, 0.06, 0.04)
WIDOWED = (0.00, 0.00, 0.00, 0.00, 0.01, 0.01, 0.02, 0.04, 0.07, 0.12, 0.20, 0.32, 0.50)
# Chance that a person of 0, 10, 20, ... 90 years has a living mother.
MOTHER_ALIVE = (1.0, 0.995, 0.99, 0.98, 0.95, 0.85, 0.62, 0.30, 0.05, 0.0)

EMPLOYED = {20: 0.55, 25: 0.86, 30: 0.86, 35: 0.84, 40: 0.83, 45: 0.80, 50: 0.72, 55: 0.56, 60: 0.32}
# Monthly insured wages (投保薪資) by grade; the lowest is the minimum wage of 2026.
WAGE_GRADES = (29_500, 30_300, 31_800, 33_300, 34_800, 36_300, 38_200, 40_100, 42_000, 43_900, 45_800)
WAGE_WEIGHTS = (19, 7, 7, 7, 7, 6, 6, 6, 6, 5, 24)

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

# A village lies in neighbouring townships of one county; households are spread over them.
TOWNSHIPS = (
    ("臺南市", ("新營區", "鹽水區", "柳營區")),
    ("彰化縣", ("員林市", "溪湖鎮", "永靖鄉")),
    ("宜蘭縣", ("羅東鎮", "冬山鄉", "五結鄉")),
    ("新竹縣", ("竹北市", "竹東鎮", "芎林鄉")),
    ("屏東縣", ("潮州鎮", "萬巒鄉", "竹田鄉")),
    ("花蓮縣", ("吉安鄉", "壽豐鄉", "新城鄉")),
    ("雲林縣", ("斗六市", "斗南鎮", "古坑鄉")),
    ("桃園市", ("龍潭區", "平鎮區", "楊梅區")),
)
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

# Known dirt of each register: what is wrong, and in which share of its rows. People of the cast are spared.
DIRT = {
    "ris.address_full_width": 0.010,  # digits of the address in full-width form
    "ris.variant_character": 0.005,  # 台 for 臺 in township or address
    "hpa.mother_name_trailing_space": 0.010,
    "nhi.insured_twice": 0.003,  # an ended row and a current one both say `insured`
    "bli.employer_short_form": 0.020,  # 股份有限公司 written （股）公司
    "mof.holder_trailing_space": 0.010,
}
