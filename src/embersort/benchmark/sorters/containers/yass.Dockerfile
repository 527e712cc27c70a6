# YASS in the image's Python 3.7, and SpikeInterface in a Python of its own, which is newer.
# SpikeInterface starts the program yass but also asks whether its package is there: hence a link to it.
FROM spikeinterface/yass-base:2.0.0
COPY --from=ghcr.io/astral-sh/uv:0.8.22 /uv /usr/local/bin/uv
ENV UV_PYTHON_INSTALL_DIR=/opt/python
RUN uv venv --python 3.11 /opt/spikeinterface \
    && uv pip install --no-cache --python /opt/spikeinterface/bin/python \
        spikeinterface==0.105.3 numba h5py pyyaml \
    && site=$(/opt/spikeinterface/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") \
    && /home/miniconda3/bin/python -c "import pathlib, yass; print(pathlib.Path(yass.__file__).parent)" \
        | xargs -I{} ln -s {} "${site}/yass"
ENV PATH="/opt/spikeinterface/bin:/home/miniconda3/bin:${PATH}"
