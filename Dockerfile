# One image for every process of Lockgate: `lockgate serve` by default, or `gateway`, `console`, `worker`.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
RUN python -m venv /opt/lockgate
ENV PATH=/opt/lockgate/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The locked packages come first, so that a change of our own code does not install them again.
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-deps --require-hashes --compile -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY lockgate lockgate
COPY flags flags
COPY gateway gateway
COPY review review
RUN pip install --no-deps --no-build-isolation --compile . \
    && pip uninstall --yes --quiet hatchling pip

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/lockgate --create-home --shell /usr/sbin/nologin lockgate
COPY --from=build /opt/lockgate /opt/lockgate
ENV PATH=/opt/lockgate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOCKGATE_DATA_DIRECTORY=/var/lib/lockgate \
    LOCKGATE_HTTP_ADDRESS=0.0.0.0:8000 \
    LOCKGATE_GRPC_ADDRESS=0.0.0.0:8001 \
    LOCKGATE_METRICS_ADDRESS=0.0.0.0:8002
USER lockgate
WORKDIR /var/lib/lockgate
VOLUME /var/lib/lockgate
EXPOSE 8000 8001 8002
STOPSIGNAL SIGTERM
# Live as long as the process can answer at all: an outage of what it depends on must not take it away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8002/health/live', timeout=2)"]
ENTRYPOINT ["lockgate"]
CMD ["serve"]
