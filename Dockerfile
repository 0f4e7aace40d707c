# One image for every process of the site: compose.yaml says which one a container runs.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/pip install --require-hashes --requirement /tmp/requirements.txt

FROM ${PYTHON_IMAGE}
# MALLOC_ARENA_MAX: glibc's arena per thread would keep what a big picture once took.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    DEBUG=false \
    ENV_FILES= \
    MEDIA_ROOT=/srv/media \
    STATIC_ROOT=/srv/static
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY project project
COPY apps apps
COPY templates templates
COPY static static
# The key below serves this one command and is in no running container.
RUN SECRET_KEY=0123456789-collectstatic-needs-no-secret-but-settings-do \
    SITE_URL=https://localhost \
    python manage.py collectstatic --noinput \
    && python -m compileall -q apps project \
    && mkdir -p /srv/media/originals /srv/media/renditions /srv/beat \
    && chown -R 10001:10001 /srv/media /srv/beat
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--backlog", "1024", "--no-ws", "project.wsgi:application"]
