"""The verbs of `manage.py jobs`, each with its arguments, what it does, and its exit code."""
