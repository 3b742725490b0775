from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_signs_in_from")]

    operations = [
        migrations.AddField("relyingparty", "fetched", models.JSONField(null=True)),
    ]
