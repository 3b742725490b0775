"""Classes of visibility have terms, rights have one too; what the content said of a service; letters work once."""

from django.db import migrations, models

import smartgov.shared.clock


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0003_joining"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsedLetter",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("used_at", models.DateTimeField(default=smartgov.shared.clock.now)),
            ],
        ),
        migrations.AddField(
            model_name="service",
            name="content",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="service",
            name="visibility_terms",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="right",
            name="visibility",
            field=models.CharField(blank=True, default="", max_length=24),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="right",
            name="visibility_terms",
            field=models.JSONField(default=dict),
        ),
    ]
