# The image of every Hansei service: the packages of requirements.lock, each checked against its hash, and the code.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock scripts/uv.lock /build/
RUN python -m venv /opt/venv \
 && python -m venv /build/tool \
 && /build/tool/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /build/uv.lock \
 && /build/tool/bin/uv pip install --no-cache --system-certs --python /opt/venv/bin/python \
      --require-hashes --compile-bytecode -r /build/requirements.lock

FROM python:3.11-slim-bookworm
# For the PDF of a review: Pango, and fonts for Latin and Chinese. Charts in DOCX and mail are drawn with these fonts too.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 50000 --create-home --shell /usr/sbin/nologin hansei \
 && install -d -o hansei -g hansei /var/lib/hansei /var/lib/airflow
COPY --from=packages /opt/venv /opt/venv
COPY dags /opt/hansei/dags
COPY plugins /opt/hansei/plugins
COPY include /opt/hansei/include
COPY scripts/compose /opt/hansei/scripts/compose
COPY LICENSE /opt/hansei/
# A container writes no bytecode: without this, each task would compile again all that it imports.
RUN /opt/venv/bin/python -m compileall -q /opt/hansei/plugins /opt/hansei/dags
# The package is imported where it lies; its command is written by hand, so that nothing has to be built.
RUN echo /opt/hansei/plugins > /opt/venv/lib/python3.11/site-packages/hansei.pth \
 && printf '#!/opt/venv/bin/python\nimport sys\nfrom hansei.cli import main\nsys.exit(main())\n' > /opt/venv/bin/hansei \
 && chmod 755 /opt/venv/bin/hansei
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/var/lib/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/hansei/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/hansei/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    HANSEI_HOME=/var/lib/hansei
WORKDIR /opt/hansei
USER hansei
CMD ["airflow", "version"]
