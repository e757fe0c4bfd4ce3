# The production image: the product and its page. Without the local cloud, without a root user.
#   docker build -t switchboard .
ARG PY_IMAGE=docker.io/library/python:3.13-slim-trixie
ARG NODE_IMAGE=docker.io/library/node:22-trixie-slim

FROM ${NODE_IMAGE} AS page
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY frontend/ ./
RUN npm run --silent build

FROM ${PY_IMAGE} AS packages
WORKDIR /src
COPY scripts/uv.txt scripts/uv.txt
RUN python3 -m venv /uv && /uv/bin/pip install --quiet --disable-pip-version-check \
    --only-binary :all: --require-hashes -r scripts/uv.txt
ENV UV_SYSTEM_CERTS=true UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 \
    UV_PROJECT_ENVIRONMENT=/app/.venv UV_PYTHON=python3
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-install-project
COPY src/ src/
COPY --from=page /src/src/switchboard/browser/page/ src/switchboard/browser/page/
# The local cloud is one distribution with the product; it stays with developers.
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-editable \
    && rm -r /app/.venv/lib/python3.*/site-packages/switchboard_local \
    && rm /app/.venv/bin/switchboard-local

FROM ${PY_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin switchboard \
    && install -d -o switchboard -g switchboard /data
WORKDIR /app
COPY --from=packages /app/.venv /app/.venv
COPY session_config.json ./
COPY prompts/ prompts/
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 LOG_FORMAT=json DATA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/health', timeout=2)"]
# HOST is left to whoever runs it: without it only the container itself is served.
CMD ["switchboard", "serve"]
