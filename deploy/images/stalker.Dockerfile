# The server for production: one static binary with the web interface, and git and ssh,
# which it reads git sources with. Build from the top of the repository:
#   docker build -f deploy/images/stalker.Dockerfile --build-arg VERSION=$(git describe --tags --always) -t stalker .
# With --target bare there is the binary and nothing else, no shell either: everything
# works but git sources, which say that git is missing. Roles other than the API need
# no more in any case.
FROM node:22-bookworm-slim AS ui
WORKDIR /src/api/ui
COPY api/ui/package.json api/ui/package-lock.json api/ui/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY api/ui ./
COPY api/openapi /src/api/openapi
RUN npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=ui /src/api/ui/dist api/ui/dist
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /stalker ./cmd/stalker

# What the image is made of, as CycloneDX; `docker cp` it out, or read it in place.
RUN go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0 bin -json -output /sbom.cdx.json /stalker
# The data directory must belong to the user that runs, whatever volume is mounted.
RUN mkdir -p /rootfs/var/lib/stalker

FROM gcr.io/distroless/static-debian12:nonroot AS bare
COPY --from=build /stalker /stalker
COPY --from=build /sbom.cdx.json /usr/share/doc/stalker/sbom.cdx.json
COPY --from=build --chown=65532:65532 /rootfs/var/lib/stalker /var/lib/stalker
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/stalker"]
CMD ["serve", "--config", "/etc/stalker/stalker.yaml"]

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client && rm -rf /var/lib/apt/lists/* && \
    useradd --uid 65532 --user-group --no-create-home --home-dir /var/lib/stalker --shell /usr/sbin/nologin stalker
COPY --from=build /stalker /stalker
COPY --from=build /sbom.cdx.json /usr/share/doc/stalker/sbom.cdx.json
COPY --from=build --chown=65532:65532 /rootfs/var/lib/stalker /var/lib/stalker
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/stalker"]
CMD ["serve", "--config", "/etc/stalker/stalker.yaml"]
