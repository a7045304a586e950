# An image that runs the sidecar: no shell needed, not root, nothing written outside /tmp.
#   docker build --tag token-sidecar .
#   docker run --volume ./config.yaml:/etc/token-sidecar/config.yaml:ro token-sidecar

ARG BASE=python:3.11-slim
# What else is built in, of pyproject.toml's extras; none of it is loaded unless it is configured.
ARG EXTRAS=redis,otel

FROM ${BASE} AS build
ARG EXTRAS
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY proxy proxy
RUN python -m pip wheel --no-cache-dir --wheel-dir /wheels ".[${EXTRAS}]" \
 && python -m venv /opt/token-sidecar \
 && /opt/token-sidecar/bin/python -m pip install --no-index --find-links /wheels "token-sidecar[${EXTRAS}]" \
 && /opt/token-sidecar/bin/python -m pip uninstall --yes --quiet pip setuptools

FROM ${BASE}
COPY --from=build /opt/token-sidecar /opt/token-sidecar
# A path is named here, no token.
# hadolint ignore=DL3064
ENV PATH=/opt/token-sidecar/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TOKEN_SIDECAR_CONFIG=/etc/token-sidecar/config.yaml \
    HOME=/tmp
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["token-sidecar", "healthcheck"]
ENTRYPOINT ["token-sidecar"]
CMD ["run"]
