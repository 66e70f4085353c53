# Built from the hashed locks alone. The digest is that of the multi-platform index; compare it, and renew it, with
#   docker buildx imagetools inspect python:3.11-slim-bookworm
FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b AS build
WORKDIR /source
COPY requirements/pip.txt requirements/build.txt requirements/server.txt requirements/
RUN python -m venv /opt/cab \
    && /opt/cab/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/pip.txt \
    && /opt/cab/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/server.txt -r requirements/build.txt
COPY pyproject.toml ./
COPY cab_registry cab_registry
COPY cli cli
COPY migrations migrations
COPY schemas schemas
RUN /opt/cab/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin cab
COPY --from=build /opt/cab /opt/cab
ENV PATH=/opt/cab/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000 9464
# For the service, which is what the image runs when it is told nothing else.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/ready', timeout=3)"]
CMD ["cab", "serve"]
