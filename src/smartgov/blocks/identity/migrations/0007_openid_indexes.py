"""Indexes of the OpenID provider hold only rows that can be looked up by them, and no state."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

_EMPTY = "UPDATE identity_openidauthorization SET {0} = NULL WHERE {0} = ''"
_AGAIN = "UPDATE identity_openidauthorization SET {0} = '' WHERE {0} IS NULL"


class Migration(migrations.Migration):
    """An absent subject or session is NULL, a code unique once there is one, a mark found by its key alone."""

    dependencies: ClassVar = [("identity", "0006_party_keys")]
    operations: ClassVar = [
        migrations.RemoveIndex("openidauthorization", "identity_openid_session"),
        migrations.RemoveIndex("openidauthorization", "identity_openid_subject"),
        *(
            migrations.AlterField("openidauthorization", name, models.CharField(max_length=36, null=True))
            for name in ("subject", "session")
        ),
        *(migrations.RunSQL(_EMPTY.format(name), _AGAIN.format(name)) for name in ("subject", "session")),
        migrations.AlterField("openidauthorization", "code_key", models.CharField(max_length=43, null=True)),
        migrations.AddConstraint(
            "openidauthorization",
            models.UniqueConstraint(
                fields=("code_key",), condition=models.Q(code_key__isnull=False), name="identity_openid_code"
            ),
        ),
        *(
            migrations.AddIndex(
                "openidauthorization",
                models.Index(
                    fields=(name,), condition=models.Q(**{f"{name}__isnull": False}), name=f"identity_openid_{name}"
                ),
            )
            for name in ("session", "subject")
        ),
        migrations.AlterField("openidmark", "expires_at", models.DateTimeField()),
    ]
