from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0004_people")]

    operations = [
        migrations.AddField("account", "signs_in_from", models.DateField(null=True)),
    ]
