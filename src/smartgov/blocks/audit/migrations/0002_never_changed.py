"""A trigger that refuses changes to audit entries, whoever asks the database. Deletion by age stays possible."""

from django.db import migrations

_SQLITE = """
CREATE TRIGGER audit_entry_never_changed BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END
"""
_POSTGRESQL = """
CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit entries are never changed' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER audit_entry_never_changed BEFORE UPDATE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()
"""
_GONE = {
    "sqlite": "DROP TRIGGER audit_entry_never_changed",
    "postgresql": "DROP TRIGGER audit_entry_never_changed ON audit_entry; DROP FUNCTION audit_entry_refuse()",
}


def forwards(apps, schema_editor):
    schema_editor.execute({"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[schema_editor.connection.vendor])


def backwards(apps, schema_editor):
    schema_editor.execute(_GONE[schema_editor.connection.vendor])


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
