# Pooh, without PyTorch. Debian's own Python: its security updates come with those of the system.
#   docker build -t pooh .
#   docker run --env DISCORD_TOKEN=... --read-only --tmpfs /tmp --volume pooh:/var/lib/pooh pooh
FROM debian:trixie-slim AS build
# A version that is pinned would soon be gone from Debian's archive.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv
RUN python3 -m venv /opt/pooh
WORKDIR /src
# First what changes seldom: the dependencies stay in the cache while the code moves on.
COPY pyproject.toml README.md LICENSE ./
COPY model/__init__.py model/
RUN mkdir bot data training vocab weights \
    && /opt/pooh/bin/pip install --no-cache-dir --no-compile '.[cluster]'
COPY bot bot
COPY data data
COPY model model
COPY training training
COPY vocab vocab
COPY weights weights
RUN /opt/pooh/bin/pip install --no-cache-dir --no-compile --no-deps --force-reinstall . \
    && /opt/pooh/bin/pip uninstall -y pip \
    && python3 -m compileall -q -j 0 /opt/pooh

FROM debian:trixie-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent pooh \
    && install --directory --owner=10001 --mode=700 /var/lib/pooh
COPY --from=build /opt/pooh /opt/pooh
# matplotlib, which draws for /about, wants to keep what it found out about fonts. And glibc keeps what
# each thread has freed for that thread, up to eight times as often as there are cores.
ENV PATH=/opt/pooh/bin:$PATH \
    MALLOC_ARENA_MAX=2 \
    MPLCONFIGDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    POOH_DATABASE=/var/lib/pooh/pooh.db \
    POOH_METRICS_PORT=9464
USER 10001
# What outlives the container: the settings of servers.
VOLUME /var/lib/pooh
# Here the bot looks for a file .env; a mounted one is read again on SIGHUP.
WORKDIR /etc/pooh
# While Discord is away it is not well, and need not be restarted for that: it comes back by itself.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s CMD ["python", "-m", "bot", "health"]
# python is process 1: SIGTERM reaches the bot, which then finishes the stories for up to 8 seconds.
ENTRYPOINT ["python", "-m", "bot"]
