# What the built-in jobs run in when those that need other people's programs are to run
# as well: the interpreter and the SDK, nmap and masscan, Chromium, subfinder and katana.
# Set it as kubernetes.image (the chart: jobs.image).
#   docker build -f deploy/images/job-scanners.Dockerfile -t stalker-job-scanners deploy
FROM golang:1.26-bookworm AS programs
ENV CGO_ENABLED=0 GOBIN=/out GOFLAGS=-trimpath
RUN go install github.com/projectdiscovery/subfinder/v2/cmd/subfinder@v2.7.1
RUN CGO_ENABLED=1 go install github.com/projectdiscovery/katana/cmd/katana@v1.1.2

FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends nmap masscan libpcap0.8 chromium fonts-dejavu-core fonts-noto-core \
  && rm -rf /var/lib/apt/lists/*
COPY --from=programs /out/ /usr/local/bin/
COPY sdk /opt/sdk
RUN pip install --no-cache-dir /opt/sdk && rm -rf /opt/sdk
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["python3", "-m", "stalker_sdk.run"]
