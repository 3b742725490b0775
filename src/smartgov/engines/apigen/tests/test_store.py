from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from smartgov.engines.apigen import build, config
from smartgov.engines.apigen.store import FILE, Store
from smartgov.shared.tw import national_id

from .conftest import DESCRIPTION

PEOPLE = [national_id.make(serial, 1 + serial % 2) for serial in range(4)]
person = st.sampled_from(PEOPLE)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "national_id": person,
            "name": st.sampled_from(["甲", "乙"]),
            "mother_id": st.none() | person,
            "father_id": st.none() | person,
            "birth_date": st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 3)).map(str),
        }
    ),
    max_size=12,
)
filters = st.fixed_dictionaries(
    {}, optional={"name": st.sampled_from(["甲", "乙"]), "national_id": person, "mother_id": st.none() | person}
)


@settings(max_examples=40, deadline=None)
@given(rows=rows, subject=person, where=filters, limit=st.integers(1, 5))
def test_every_page_holds_exactly_the_subjects_rows_that_match(rows, subject, where, limit):
    numbered = [{**row, "id": f"{number:03d}"} for number, row in enumerate(rows)]
    table = config.parse(DESCRIPTION).tables["people"]
    wanted = [
        row["id"]
        for row in numbered
        if subject in {row[name] for name in table.subject_columns}
        and all(row[name] == value for name, value in where.items())
    ]
    with TemporaryDirectory() as folder:
        build.create_register(f"{folder}/r", DESCRIPTION, {"people": numbered})
        store = Store(Path(folder) / "r" / FILE)
        found, after, more = [], "", True
        while more:
            page, more = store.rows(table, subject=subject, where=where, limit=limit, after=after)
            found += [row["id"] for row in page]
            after = found[-1] if found else ""
    assert found == wanted
