"""The site's own files in production: named by their content, so browsers keep them for ever."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Also the modules that a module imports: without this they would keep their plain names."""

    support_js_module_import_aggregation = True
