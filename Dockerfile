FROM python:3.13-slim-bookworm AS build

WORKDIR /src
COPY LICENSE README.md probes.yaml plans.example.yaml pyproject.toml ./
COPY monitor monitor
COPY site site
# What is installed is this folder, whose versions stand in its pyproject.toml. pip itself stays behind in this stage.
ENV PIP_PYTHON=/opt/monitor/bin/python
# hadolint ignore=DL3013
RUN python -m venv --without-pip /opt/monitor \
 && pip install --no-cache-dir --disable-pip-version-check '.[postgres,otel]'


FROM python:3.13-slim-bookworm

RUN useradd --system --uid 10001 --no-create-home monitor \
 && install --directory --owner=monitor --group=monitor /data
COPY --from=build /opt/monitor /opt/monitor
COPY probes.yaml /etc/vtex-monitor/probes.yaml

# Read by the shipped probes.yaml: inside a container the outside world is not on loopback.
# The ops side still stays on loopback until MONITOR_OPS_TOKEN is set.
ENV MONITOR_CONFIG=/etc/vtex-monitor/probes.yaml \
    MONITOR_OPS=0.0.0.0:9464 \
    MONITOR_PUBLIC=0.0.0.0:8080 \
    PATH=/opt/monitor/bin:$PATH \
    PYTHONUNBUFFERED=1

USER 10001
VOLUME /data
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9464/-/healthy', timeout=4)"]

ENTRYPOINT ["monitor"]
CMD ["run", "--data", "/data"]
