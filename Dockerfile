# Built from the hashed locks alone. Python's image is named by version; whoever deploys adds the digest of the platform.
FROM python:3.11-slim-bookworm AS build
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

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home cab
COPY --from=build /opt/cab /opt/cab
ENV PATH=/opt/cab/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER cab
EXPOSE 8000 9464
CMD ["cab", "serve"]
