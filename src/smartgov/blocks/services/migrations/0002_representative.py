from django.db import migrations

import smartgov.blocks.ops.fields


class Migration(migrations.Migration):
    dependencies = [("services", "0001_initial")]

    operations = [
        migrations.AddField(
            "application",
            "representative_text",
            smartgov.blocks.ops.fields.EncryptedTextField(
                blank=True, context="services.application.representative", default=""
            ),
        ),
    ]
