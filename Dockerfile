# Rollcall in a container. docs/containers.md says how it is built and run.
#
#   docker build -t rollcall:dev .                                   for processors
#   docker build -t rollcall:dev-gpu --build-arg ACCELERATOR=gpu .   for NVIDIA graphics cards

ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
ARG ACCELERATOR=cpu
# A company's own certificate authority, where one stands before the package registry.
ARG PIP_CERT=""
ENV PATH=/opt/rollcall/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY requirements.txt requirements-tracing.txt constraints.txt /build/
COPY deploy/image/constraints-gpu.txt deploy/image/install-packages deploy/image/trim /build/
RUN python3 -m venv /opt/rollcall \
    && /build/install-packages "$ACCELERATOR" /build \
    && /build/trim /opt/rollcall

FROM ${PYTHON_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="Rollcall" \
      org.opencontainers.image.description="Face-recognition attendance on Streamlit, Ray and MongoDB" \
      org.opencontainers.image.version="${VERSION}"
RUN groupadd --gid 10001 rollcall \
    && useradd --uid 10001 --gid rollcall --create-home --shell /usr/sbin/nologin rollcall \
    && install --directory --owner=rollcall --group=rollcall /data /models
COPY --from=packages /opt/rollcall /opt/rollcall
COPY deploy/image/rollcall /usr/local/bin/rollcall
COPY .streamlit /app/.streamlit
COPY streamlit_app /app/streamlit_app
COPY ray_backend /app/ray_backend
ENV PATH=/opt/rollcall/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    ROLLCALL_DATA_DIR=/data \
    ROLLCALL_MODELS_DIR=/models
RUN python -m compileall -q /app
USER rollcall
WORKDIR /app
VOLUME ["/data", "/models"]
# The app, the API, Ray's dashboard and Ray's client.
EXPOSE 8501 8000 8265 10001
# Knows by itself what runs here: a head, a worker or the app.
HEALTHCHECK --interval=15s --timeout=10s --start-period=120s --retries=4 CMD ["rollcall", "cluster", "health"]
ENTRYPOINT ["rollcall"]
CMD ["up"]
