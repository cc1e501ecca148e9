# Soundalike's app, from this repository alone: docker build -t soundalike .
# docs/deploy.md says how it is run: as a user of its own, on a read-only root, behind a proxy.
ARG PYTHON=docker.io/library/python:3.11-slim

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN ["python3", "-m", "venv", "/opt/venv"]
COPY requirements.lock ./
# Wheels alone, each with its hash: nothing is compiled, and no package's own script is run.
RUN ["/opt/venv/bin/pip", "install", "--no-compile", "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock"]
# The packages' own tests take a tenth of the room.
RUN ["find", "/opt/venv", "-type", "d", "-name", "tests", "-prune", "-exec", "rm", "-r", "{}", "+"]
# The networks run on the processor: no plugins for graphics cards and other accelerators.
RUN ["find", "/opt/venv", "-name", "libopenvino_intel_[gn]pu_plugin.so", "-delete"]
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY scripts/hatch_build.py scripts/hatch_build.py
RUN ["/opt/venv/bin/pip", "install", "--no-compile", "--no-deps", "--no-build-isolation", "-e", "."]
COPY app.py ./
COPY pages pages
COPY .streamlit .streamlit
COPY assets assets
# Nothing can be compiled on a read-only root, nor should anything be installed there.
RUN ["/opt/venv/bin/python", "-m", "compileall", "-q", "-j", "0", "/opt/venv/lib", "src", "pages", "app.py"]
# What numba makes of librosa takes it half a minute or more. It wants to write beside it, so that a container
# begins with a copy in /tmp; on another kind of processor it is made again.
RUN NUMBA_CACHE_DIR=/opt/numba /opt/venv/bin/python -c \
    "from soundalike.analysis import clip_analysis; clip_analysis.analyse('assets/library/clips/0102.opus')"
RUN ["/opt/venv/bin/pip", "uninstall", "--quiet", "--yes", "pip"]

FROM ${PYTHON}
RUN useradd --system --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin soundalike \
    && install --directory --owner soundalike --mode 0700 /votes
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/numba /opt/numba
COPY --from=build /app /app
WORKDIR /app
# Votes are all that is kept.
ENV HOME=/tmp NUMBA_CACHE_DIR=/tmp/numba SOUNDALIKE_VOTES=/votes/votes.sqlite PYTHONUNBUFFERED=1
# The proxy is outside the container, at a private address: what it says of visitors' addresses is believed.
ENV FORWARDED_ALLOW_IPS=127.0.0.1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16
VOLUME /votes
USER 10001
EXPOSE 8501
# A server that is frozen also ends by itself, so that the restart policy starts it again (docs/deploy.md).
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["/bin/sh", "-c", "cp -R /opt/numba /tmp/; exec /opt/venv/bin/streamlit run app.py --server.headless=true --server.address=0.0.0.0 --server.port=8501"]
