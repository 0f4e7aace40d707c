"""Let the database itself note which files a deleted photo leaves (see DeletedPhoto)."""

from __future__ import annotations

from django.db import migrations

FORWARDS = """
CREATE FUNCTION photos_remember_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO photos_deletedphoto (id, original, sha256, renditions, deleted_at)
    VALUES (OLD.id, OLD.original, OLD.sha256, OLD.renditions, now())
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER photos_remember_deleted AFTER DELETE ON photos_photo
    FOR EACH ROW EXECUTE FUNCTION photos_remember_deleted();
"""
BACKWARDS = """
DROP TRIGGER photos_remember_deleted ON photos_photo;
DROP FUNCTION photos_remember_deleted();
"""


class Migration(migrations.Migration):
    dependencies = [("photos", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
