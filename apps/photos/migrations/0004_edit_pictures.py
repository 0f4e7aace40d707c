"""Edits of pictures; a deleted photo also remembers those that were being made (DeletedPhoto)."""

from __future__ import annotations

from django.db import migrations, models

FORWARDS = """
CREATE OR REPLACE FUNCTION photos_remember_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO photos_deletedphoto (id, original, sha256, renditions, edits, deleted_at)
    VALUES (OLD.id, OLD.original, OLD.sha256, OLD.renditions,
            COALESCE(OLD.wanted_edits, OLD.edits), now())
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END $$;
"""
BACKWARDS = """
CREATE OR REPLACE FUNCTION photos_remember_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO photos_deletedphoto (id, original, sha256, renditions, deleted_at)
    VALUES (OLD.id, OLD.original, OLD.sha256, OLD.renditions, now())
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('photos', '0003_count_views'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReplacedSet',
            fields=[
                ('key', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('photo_id', models.UUIDField(db_index=True)),
                ('replaced_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.AddField(
            model_name='deletedphoto',
            name='edits',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='photo',
            name='edits',
            field=models.JSONField(blank=True, default=dict, verbose_name='edits'),
        ),
        migrations.AddField(
            model_name='photo',
            name='edits_reason',
            field=models.CharField(blank=True, max_length=40, verbose_name='why the edits failed'),
        ),
        migrations.AddField(
            model_name='photo',
            name='edits_version',
            field=models.PositiveIntegerField(default=0, verbose_name='version of the edits'),
        ),
        migrations.AddField(
            model_name='photo',
            name='wanted_edits',
            field=models.JSONField(blank=True, null=True, verbose_name='edits to come'),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
