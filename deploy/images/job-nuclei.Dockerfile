# What nuclei jobs run in: nuclei, and the interpreter and SDK that run it and read what it
# finds. Set it as kubernetes.nucleiImage. A job brings its own template; no others are in here.
#   docker build -f deploy/images/job-nuclei.Dockerfile -t stalker-job-nuclei deploy
FROM golang:1.26-bookworm AS programs
ENV CGO_ENABLED=0 GOBIN=/out GOFLAGS=-trimpath
RUN go install github.com/projectdiscovery/nuclei/v3/cmd/nuclei@v3.4.7

FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=programs /out/nuclei /usr/local/bin/
COPY sdk /opt/sdk
RUN pip install --no-cache-dir /opt/sdk && rm -rf /opt/sdk
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["python3", "-m", "stalker_sdk.nuclei"]
