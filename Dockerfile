# The production image: the product and its page. Without the local cloud, without a root user, and
# without calling the base's package manager: everything comes from our own locks, by hash.
#   docker build -t switchboard .
# The target `demo` has the local cloud as well, for a demonstration without an account:
#   docker build --target demo -t switchboard-demo .
# .github/workflows/image.yml pins the bases by digest.
ARG PY_IMAGE=mcr.microsoft.com/azurelinux/base/python:3.12
ARG NODE_IMAGE=mcr.microsoft.com/azurelinux/base/nodejs:24

FROM ${NODE_IMAGE} AS page
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY frontend/ ./
RUN npm run --silent build

FROM ${PY_IMAGE} AS packages
# true: uv trusts what the base trusts, where a proxy signs with a certificate of its own.
ARG SYSTEM_CERTS=false
WORKDIR /src
COPY scripts/uv.txt scripts/uv.txt
RUN python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --target /uv \
    --only-binary :all: --require-hashes -r scripts/uv.txt
ARG UV_NO_CACHE=true
ENV UV_SYSTEM_CERTS=${SYSTEM_CERTS} UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=/app/.venv UV_PYTHON=python3
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-install-project
COPY src/ src/
COPY --from=page /src/src/switchboard/browser/page/ src/switchboard/browser/page/
# The local cloud is one distribution with the product; it stays with developers.
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-editable \
    && rm -r /app/.venv/lib/python3.*/site-packages/switchboard_local \
    && rm /app/.venv/bin/switchboard-local \
    && cp /app/.venv/lib/python3.*/site-packages/certifi/cacert.pem /app/certificates.pem \
    && mkdir /data

# Nothing is run in this stage, so it needs no program of the base but Python.
FROM ${PY_IMAGE} AS production
WORKDIR /app
COPY --from=packages /app /app
COPY --from=packages --chown=10001:10001 /data /data
COPY session_config.json ./
COPY prompts/ prompts/
# A base may trust next to nobody; these are the roots that the lock brings. Yours go in their place.
# Each TLS connection has a buffer of 256 KiB, of which it uses a few. Below this bound glibc would
# learn to take such buffers from memory that others have used, and that is resident.
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    SSL_CERT_FILE=/app/certificates.pem HOME=/data LOG_FORMAT=json DATA_DIR=/data PORT=8000
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=2)"]
# HOST is left to whoever runs it: without it only the container itself is served.
CMD ["switchboard", "serve"]

# ── A demonstration: product and local cloud in one container ──
#   docker run --rm --network host switchboard-demo      # then http://127.0.0.1:8000, like `make run`
# It listens on loopback only, so it needs the host's network; Linux has that, Docker Desktop by a setting.
FROM packages AS demo-packages
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-editable --extra local --reinstall-package switchboard

FROM production AS demo
COPY --from=demo-packages /app /app
ENV LOG_FORMAT=text
CMD ["switchboard-local", "up"]

# The last stage is what a builder makes that is told of no target. One without BuildKit, such as a
# registry's, makes all stages on the way to it, and throws the demonstration away.
FROM production
