"""The analyst's frame: one row a person, clean truth, coded, without names or ids. Its columns and their codes.

Rows are all living people, and those who died within two years of the country's day. Dates are DATE, money whole New
Taiwan dollars, unknown or not applicable is NULL. `person` is village * 100,000 + index, and so are relatives.
"""

from __future__ import annotations

from dataclasses import dataclass

PERSON_BASE = 100_000
YEARS_OF_DEAD = 2

CODES: dict[str, tuple[str, ...]] = {
    "sex": ("unknown", "male", "female"),
    "nationality": ("tw", "cn", "vn", "id", "other"),
    "marital_status": ("single", "married", "divorced", "widowed"),
    "education": (
        "none",
        "primary",
        "junior",
        "senior",
        "vocational",
        "junior_college",
        "bachelor",
        "master",
        "doctor",
    ),
    "study_field": (
        "none",
        "general",
        "business",
        "engineering",
        "civil",
        "architecture",
        "electrical",
        "information",
        "health",
        "education",
        "humanities",
        "agriculture",
        "services",
    ),
    "school_level": ("none", "kindergarten", "primary", "junior", "senior", "university"),
    "low_income": ("none", "low", "middle_low"),
    "disability": ("none", "mild", "moderate", "severe", "profound"),
    "circumstance": (
        "none",
        "spouse_dead_or_missing",
        "deserted_or_abused_divorce",
        "domestic_violence",
        "unmarried_pregnant",
        "single_parent",
        "spouse_imprisoned",
        "major_change",
    ),
    "placement": ("none", "public", "quasi_public", "public_placement"),
    "company_role": ("none", "responsible"),
    "company_kind": ("none", "other", "construction"),
    "construction_grade": ("none", "a", "b", "c", "specialised", "earth"),
    "sd_exam": ("none", "ordinary", "technician", "specialist"),
    "deceased_insurance": ("none", "bli", "np", "fi"),
}
"""Column -> words; the code in the column is the index of the word."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the frame: its name, kind (int64 int32 int16 int8 bool date) and meaning."""

    name: str
    kind: str
    about: str


COLUMNS: tuple[Column, ...] = tuple(
    Column(*line.split("|"))
    for line in """\
person|int64|village * 100000 + index in the village
village|int32|number of the village
household|int64|person number of the head of the household
township|int16|code in townships.parquet
county|int8|code in townships.parquet
sex|int8|1 male, 2 female
birth_date|date|date of birth
death_date|date|date of death, NULL while living
nationality|int8|the household register holds `tw` only; others reside with a permit
marital_status|int8|present marital status (of the dead: at death)
mother|int64|living or lately dead mother
father|int64|living or lately dead father
spouse|int64|present spouse (of the dead: spouse at death, now a widow or widower)
birth_order|int8|among the mother's children, NULL when the mother is not known
elder_children|int8|elder children of the same mother
children_under_2|int8|children of this person (as mother or father) below the age
children_under_3|int8|
children_under_15|int8|
children_under_18|int8|
youngest_child_birth|date|birth date of the youngest registered child
last_birth_date|date|of women: last birth within six years, registered or only notified
last_birth_multiple|int8|children born at that birth
last_birth_premature|bool|before 37 weeks
last_birth_registered|bool|false while the household register does not hold the child
registered_since|date|domicile in this county since
resident_days_last_year|int16|days in the country within the last year
household_size|int8|living members
is_head|bool|
education|int8|highest level completed
study_field|int8|
school_level|int8|school attended now
school_repeating|bool|repeats or has exceeded the years of study
school_public|bool|attends a public school
bli_insured|bool|labour insurance today
bli_from|date|start of the present (or last) labour insurance
bli_days|int32|total days of labour insurance
bli_days_before_birth|int32|days of labour insurance before last_birth_date
bli_wage|int32|mean insured monthly wage of the last six insured months
ei_days_3y|int16|days of employment insurance within three years before today (or before left_job_on)
left_job_on|date|left the last insured job; of those in one, NULL, or the leaving before reemployed_on
left_involuntary|bool|that leaving was involuntary
job_seeker_since|date|registered as a job seeker
training_from|date|in full-time vocational training since
unemployment_paid_months|int8|months of unemployment benefit already paid for this leaving
reemployed_on|date|insured again after an unemployment, within two years
parental_leave_from|date|unpaid parental leave since
parental_leave_months|int8|length of that leave
np_insured|bool|national pension insurance today
np_days|int32|total days
np_amount|int32|insured monthly amount
fi_insured|bool|farmers' insurance today
fi_days|int32|total days
public_pension|bool|draws a pension of public servants, teachers or the forces, or is insured as such
income|int32|income of last year
household_income|int64|sum over the living members
income_decile|int8|1 to 10, of household income a head; limits are in country.json
household_property|int64|land and housing of all members, assessed value
movable_property|int32|deposits and securities of the person
low_income|int8|status of the household
disability|int8|
circumstance|int8|kind of special circumstance (特殊境遇家庭扶助條例 article 4)
placement|int8|of children: childcare or placement now
home_own|bool|owns a home
home_registered|bool|somebody of the family is registered in it
home_let|bool|it is let or used for a business
land_area_m2|int32|land under the home, m2
land_urban|bool|that land is urban land
land_value|int64|its assessed value
land_self_use_granted|bool|the tax office has granted the self-use rate
vehicles|int8|cars and motorcycles
company_role|int8|responsible person of a company
company_kind|int8|
construction_grade|int8|
company_capital|int64|
company_registered_on|date|
construction_permit_on|date|
construction_turnover_5y|int64|contracts completed within five years
construction_grade_years|int8|years in the present grade
sd_exam|int8|exam or certificate that counts for site directors
sd_experience_years|int8|years at work in construction
sd_course_passed|bool|the 220-hour course
sd_licensed_on|date|licensed as site director
sd_retraining_hours|int16|retraining since the licence or its renewal
cause_of_death_known|bool|of the dead: a certificate names the cause
deceased_insurance|int8|of the dead: insurance at death
survivors|int8|of the dead: living spouse, children and parents
funeral_payer|int64|of the dead: who paid for the funeral
""".strip().splitlines()
)

PAID: tuple[str, ...] = (
    "birth_registration",
    "newborn_health_insurance",
    "childcare_allowance",
    "preschool_allowance",
    "childcare_subsidy",
    "maternity_bli",
    "maternity_np",
    "maternity_fi",
    "birth_grant_county",
    "tuition_waiver",
    "unemployment",
    "training_allowance",
    "early_reemployment",
    "parental_leave",
    "special_circumstance",
    "old_farmer",
    "np_old_age",
    "bli_old_age",
    "death_registration",
    "funeral_bli",
    "funeral_np",
    "funeral_fi",
    "land_self_use",
    "construction_registration",
    "site_director",
)
"""What a register shows as applied for or paid: the frame has a BOOL column `paid_<name>` for each.

It stands in the row of the mother (birth registration, maternity, birth grant), of the child (health insurance of the
newborn, childcare), of the dead (death registration, funeral), and else of the person entitled.
"""

NAMES: tuple[str, ...] = (*(column.name for column in COLUMNS), *(f"paid_{name}" for name in PAID))
