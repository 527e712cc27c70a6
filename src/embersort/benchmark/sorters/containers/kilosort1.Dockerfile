# Kilosort 1 as a compiled program, and SpikeInterface in a Python of its own: the image's is older than
# SpikeInterface needs. Nothing is installed when it runs.
FROM spikeinterface/kilosort-compiled-base:0.2.0
COPY --from=ghcr.io/astral-sh/uv:0.8.22 /uv /usr/local/bin/uv
ENV UV_PYTHON_INSTALL_DIR=/opt/python
RUN uv venv --python 3.11 /opt/spikeinterface \
    && uv pip install --no-cache --python /opt/spikeinterface/bin/python \
        spikeinterface==0.105.3 numba h5py
ENV PATH="/opt/spikeinterface/bin:${PATH}"
