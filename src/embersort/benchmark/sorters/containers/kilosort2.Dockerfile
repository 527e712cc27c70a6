# Kilosort 2 with SpikeInterface beside it, so that nothing is installed when it runs.
FROM spikeinterface/kilosort2-compiled-base:latest
RUN pip3 install --no-cache-dir spikeinterface==0.105.3 numba
