# Torrey with the workflow and all that both need, for a machine without Python, or for a cluster:
#
#     docker build -t torrey .
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" torrey torrey check mine.yaml
#     apptainer build image.sif docker-daemon:torrey:latest
#
# `torrey check` says the whole command of Snakemake. More: docs/command.md.
FROM python:3.13-slim-trixie

# What gmsh needs of the system (tools/check_gmsh.sh). Debian's stable release fixes the versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libgomp1 \
    && rm -rf /var/lib/apt/lists/*

# The locked packages first: a change of the library leaves this layer as it is.
WORKDIR /opt/torrey
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

# Whoever runs it may be a user without a home: what is cached goes where all may write. Jobs run
# beside each other, with one thread each.
ENV HOME=/tmp \
    MPLBACKEND=Agg \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
WORKDIR /work
CMD ["torrey", "--help"]
