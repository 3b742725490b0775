from django.db import migrations

import smartgov.blocks.cases.fields


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        migrations.AddField(
            "case",
            "representative",
            smartgov.blocks.cases.fields.EncryptedJSONField("cases.case.representative", null=True),
        ),
    ]
