# Everything in one container, to try it out: embedded Kafka, ClickHouse and SQLite,
# jobs as local processes. Keep /var/lib/stalker on a volume.
#   docker build -f deploy/images/embedded.Dockerfile -t stalker-embedded .
#   docker run -p 127.0.0.1:8080:8080 -v stalker:/var/lib/stalker stalker-embedded
FROM golang:1.26-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ENV STALKER_CACHE=/cache
RUN make build && mkdir -p /rootfs/var/lib/stalker && cp /cache/chdb/*/libchdb.so /rootfs/

FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends git openssh-client && rm -rf /var/lib/apt/lists/* && \
    useradd --uid 65532 --user-group --no-create-home --home-dir /var/lib/stalker --shell /usr/sbin/nologin stalker
COPY --from=build /src/bin/stalker /usr/local/bin/stalker
COPY --from=build /rootfs/libchdb.so /usr/local/lib/libchdb.so
COPY --from=build --chown=65532:65532 /rootfs/var/lib/stalker /var/lib/stalker
ENV CHDB_LIB_PATH=/usr/local/lib/libchdb.so
USER 65532:65532
VOLUME /var/lib/stalker
EXPOSE 8080
ENTRYPOINT ["stalker"]
CMD ["serve", "--data", "/var/lib/stalker", "--listen", "0.0.0.0:8080"]
