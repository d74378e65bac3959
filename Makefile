# Every target says what it does: make help. The two a newcomer needs are
# make run and make test; both install or fetch what is missing.
SHELL      := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CACHE      ?= $(if $(STALKER_CACHE),$(STALKER_CACHE),$(HOME)/.cache/stalker)
CHDB       := $(CACHE)/chdb/26.7.3-stable.1/libchdb.so
GOFLAGS    := -buildvcs=false
LDFLAGS    := -s -w -X main.version=$(VERSION)
ARGS       ?=
GOTEST     := CHDB_LIB_PATH=$(CHDB) go test
export GOFLAGS

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-zA-Z_-]*:.*?## ' $(MAKEFILE_LIST) | sort | awk -F':.*?## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: run
run: build ## build what is missing and start everything in embedded mode (ARGS="--data DIR …")
	@CHDB_LIB_PATH=$(CHDB) exec bin/stalker serve $(ARGS)

.PHONY: demo
demo: build ## discover a lab on loopback and compare what was found with what is there (ARGS="--hold …")
	@CHDB_LIB_PATH=$(CHDB) bin/stalker demo $(ARGS)

.PHONY: build
build: deps chdb ui binary ## build bin/stalker

.PHONY: binary
binary: ## build bin/stalker alone, with the web interface as it was last built
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/stalker ./cmd/stalker

.PHONY: ui
ui: ## build the web interface, when it changed
	@.ci/ui.sh

.PHONY: deps
deps: ## check for the programs everything needs, install them where apt-get may
	@.ci/deps.sh

.PHONY: chdb
chdb: $(CHDB) ## fetch the embedded ClickHouse engine (pinned, checksum checked)
$(CHDB):
	@.ci/chdb.sh

.PHONY: test
test: build test-go test-python ## every test that needs no server but those it starts

.PHONY: test-go
test-go: chdb ## Go tests with the race detector
	$(GOTEST) -race -timeout 15m $(ARGS) ./...

.PHONY: test-python
test-python: ## tests of the SDK and the built-in jobs
	@.ci/python.sh

.PHONY: test-chart
test-chart: ## check the Helm chart: lint, unit tests, README
	@.ci/chart.sh

.PHONY: test-images
test-images: ## what images and compose are built from: syntax, lint, copies, versions
	@.ci/images.sh

.PHONY: test-dashboards
test-dashboards: build ## alert rules and dashboards against a real Prometheus and the demo
	.ci/prometheus.sh test

.PHONY: test-kafka
test-kafka: chdb ## the suites of the bus, the matcher, the launcher and the rebuild against a real Apache Kafka, and each role killed on one
	CHDB_LIB_PATH=$(CHDB) .ci/kafka.sh run go test -count=1 -timeout 8m $(ARGS) ./pipeline/bus ./pipeline/catalog ./matchers/engine ./sinks/launcher ./cmd/internal/rebuild
	STALKER_CRASH_FINDINGS=$${STALKER_CRASH_FINDINGS:-12000} STALKER_CRASH_KILLS=$${STALKER_CRASH_KILLS:-6} CHDB_LIB_PATH=$(CHDB) \
		.ci/kafka.sh run go test -count=1 -timeout 15m -run TestKillingEachRole -v $(ARGS) ./cmd/internal/crash

.PHONY: test-postgres
test-postgres: chdb ## the suites of the control plane and the API on a real PostgreSQL
	CHDB_LIB_PATH=$(CHDB) .ci/postgres.sh run go test -count=1 -timeout 8m $(ARGS) ./api/control/... ./api/v1 ./cmd/internal/doctor
	CHDB_LIB_PATH=$(CHDB) .ci/postgres.sh run go test -count=1 -timeout 8m -run 'Database|Migrate' $(ARGS) ./cmd/internal/app

.PHONY: test-multinode
test-multinode: chdb ## two of every role, each on a machine of its own, on a real Kafka and PostgreSQL: killed and cut off (needs root)
	@.ci/kafka.sh fetch >/dev/null
	CHDB_LIB_PATH=$(CHDB) STALKER_TEST_KAFKA_SERVE=$(CURDIR)/.ci/kafka.sh .ci/postgres.sh run go test -count=1 -timeout 12m -run TestManyNodes -v $(ARGS) ./cmd/internal/crash

.PHONY: test-crash
test-crash: chdb ## say 204,000 findings, kill everything 21 times meanwhile, and prove that nothing is lost or doubled
	STALKER_CRASH_FINDINGS=204000 STALKER_CRASH_KILLS=21 STALKER_CRASH_SEED=$${STALKER_CRASH_SEED:-$$(date +%s)} \
		$(GOTEST) -count=1 -timeout 20m -run TestKillingEverything -v $(ARGS) ./cmd/internal/crash

.PHONY: test-upgrade
test-upgrade: chdb ## kill the previous version in the middle of a discovery, start this one on its data, and lose nothing
	@CHDB_LIB_PATH=$(CHDB) .ci/upgrade.sh

.PHONY: test-rolling
test-rolling: chdb ## two of every role on a real Kafka and PostgreSQL, upgraded one after the other from the previous version while they work
	@.ci/kafka.sh fetch >/dev/null
	CHDB_LIB_PATH=$(CHDB) STALKER_TEST_KAFKA_SERVE=$(CURDIR)/.ci/kafka.sh .ci/upgrade.sh run .ci/postgres.sh run \
		go test -count=1 -timeout 12m -run TestRollingUpgrade -v $(ARGS) ./cmd/internal/crash

.PHONY: test-k8s
test-k8s: chdb ## the Kubernetes runner against a real control plane (built once: 5 to 12 minutes; ARGS="-run Logs -v")
	@ARGS='$(ARGS)' CHDB_LIB_PATH=$(CHDB) .ci/k8s.sh test

.PHONY: test-ui
test-ui: build ## the web interface: types, units, and every page in a browser
	@CHDB_LIB_PATH=$(CHDB) .ci/ui.sh test

.PHONY: bench
bench: chdb ## measure: one line per figure, bench <name> <value> <unit>
	@CHDB_LIB_PATH=$(CHDB) .ci/bench.sh

.PHONY: release
release: build ## binaries, SBOM, chart, wheel, source and checksums of a release, in dist/
	.ci/release.sh $(ARGS)

.PHONY: generate
generate: ## write the generated references anew
	go test ./api/openapi -run Reference -update
	@.ci/ui.sh types

.PHONY: lint
lint: ## run the linters
	go tool -modfile=.ci/lint/go.mod golangci-lint run --allow-parallel-runners --config .ci/golangci.yml

.PHONY: docs
docs: chdb ## write the references in docs/ that follow from the source
	CHDB_LIB_PATH=$(CHDB) go run ./cmd/gendocs
	@.ci/chart.sh docs

.PHONY: fmt
fmt: ## format the Go code
	go tool -modfile=.ci/lint/go.mod golangci-lint fmt --config .ci/golangci.yml

.PHONY: tidy
tidy: ## tidy go.mod
	go mod tidy

.PHONY: clean
clean: ## remove what was built here (the shared cache stays)
	rm -rf bin
