"""What carries a job from the request to the worker: ours, plain Celery, dramatiq, a bare list."""
