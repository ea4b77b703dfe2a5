# For machines with a container engine: an Airflow like MWAA's with this project in it.
# MWAA itself takes no image; it gets dags/, plugins.zip and requirements.txt.
FROM apache/airflow:3.3.1-python3.12

COPY --chown=airflow:root constraints/mwaa-3.3.1.txt requirements.txt /tmp/
# The image's own constraints line is a download; the file with MWAA's versions is at hand.
RUN sed '/^--constraint/d' /tmp/requirements.txt > /tmp/requirements-local.txt \
    && pip install --no-cache-dir --constraint /tmp/mwaa-3.3.1.txt \
       --requirement /tmp/requirements-local.txt

COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root include /opt/airflow/include
