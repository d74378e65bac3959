# What jobs written in Python run in: the interpreter, the SDK, and nmap for those
# that use it when it is there.
#   docker build -f deploy/images/job-python.Dockerfile -t stalker-job-python deploy
FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends nmap && rm -rf /var/lib/apt/lists/*
COPY sdk /opt/sdk
RUN pip install --no-cache-dir /opt/sdk && rm -rf /opt/sdk
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["python3", "-m", "stalker_sdk.run"]
