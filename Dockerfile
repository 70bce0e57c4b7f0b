# One image for both processes of a node: `python -m server serve` (the default) and `python -m server work`.
# Settings come from config/node.toml, overlaid with TONGBAN_* variables; compose.yaml shows two nodes.

# The base of both stages: another Debian with `python`, `venv` and useradd does as well (--build-arg BASE=...).
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
COPY requirements/runtime.txt /build/runtime.txt
COPY requirements/papers.txt /build/papers.txt
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --only-binary :all: --no-binary jieba --require-hashes \
    -r /build/runtime.txt -r /build/papers.txt

FROM ${BASE}
# What weasyprint calls to set papers. Debian keeps one version of each, with its corrections: there is none to pin.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home tongban \
 && install -d -o tongban /srv/tongban/var/blobs
WORKDIR /srv/tongban
COPY --from=build /opt/venv /opt/venv
COPY config config
COPY server server
COPY regions regions
COPY handlers handlers
# Whoever runs it may write nothing here: what is not compiled now is compiled by each process at each start.
RUN python -m compileall -q --invalidation-mode unchecked-hash server regions handlers
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TONGBAN_HOST=0.0.0.0
USER 10001
EXPOSE 8320 8321
# `work` answers on the other port: whoever starts it says so (compose.yaml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8320/live', timeout=2)"]
ENTRYPOINT ["python", "-m", "server"]
CMD ["serve"]
