# SpyKING CIRCUS in the image's Python 3.8, and SpikeInterface in a Python of its own, which is newer.
# SpikeInterface starts the program spyking-circus but also asks whether its package is there: hence
# the package without its needs, and the image's own program put first.
FROM spikeinterface/spyking-circus-base:1.1.0
COPY --from=ghcr.io/astral-sh/uv:0.8.22 /uv /usr/local/bin/uv
ENV UV_PYTHON_INSTALL_DIR=/opt/python
RUN uv venv --python 3.11 /opt/spikeinterface \
    && uv pip install --no-cache --python /opt/spikeinterface/bin/python \
        spikeinterface==0.105.3 numba h5py setuptools \
    && uv pip install --no-cache --no-deps --python /opt/spikeinterface/bin/python \
        spyking-circus==1.1.0 \
    && rm -f /opt/spikeinterface/bin/spyking-circus*
ENV PATH="/opt/spikeinterface/bin:${PATH}"
