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
UI_SOURCES := $(shell find api/ui -path api/ui/node_modules -prune -o -path api/ui/dist -prune -o -type f -print 2>/dev/null)
export GOFLAGS

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-zA-Z_-]*:.*?## ' $(MAKEFILE_LIST) | sort | awk -F':.*?## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: run
run: build ## build what is missing and start everything in embedded mode (ARGS="--data DIR …")
	@CHDB_LIB_PATH=$(CHDB) exec bin/stalker serve $(ARGS)

.PHONY: build
build: deps chdb ui binary ## build the web interface and bin/stalker

.PHONY: binary
binary: ## build bin/stalker alone
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/stalker ./cmd/stalker

.PHONY: deps
deps: ## check for the programs everything needs, install them where apt-get may
	@.ci/deps.sh

.PHONY: chdb
chdb: $(CHDB) ## fetch the embedded ClickHouse engine (pinned, checksum checked)
$(CHDB):
	@.ci/chdb.sh

.PHONY: ui
ui: api/ui/dist/index.html ## build the web interface
api/ui/dist/index.html: api/ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd api/ui && npm run build --silent
	@touch $@
api/ui/node_modules/.package-lock.json: api/ui/package-lock.json
	cd api/ui && npm ci --no-audit --no-fund --silent
	@touch $@

.PHONY: test
test: build test-go test-python test-ui ## every test that needs no server but those it starts

.PHONY: test-go
test-go: chdb ## Go tests with the race detector
	$(GOTEST) -race -timeout 15m $(ARGS) ./...

.PHONY: test-python
test-python: ## tests of the SDK and the built-in jobs
	@.ci/python.sh

.PHONY: test-ui
test-ui: api/ui/node_modules/.package-lock.json ## type check and unit tests of the web interface
	cd api/ui && npm run typecheck --silent && npm test --silent

.PHONY: demo
demo: build ## start the lab and let the real jobs discover it
	@CHDB_LIB_PATH=$(CHDB) exec bin/stalker demo $(ARGS)

.PHONY: bench
bench: chdb ## measure: one line per figure, bench <name> <value> <unit>
	@CHDB_LIB_PATH=$(CHDB) .ci/bench.sh

.PHONY: dev
dev: build ## server and live web interface side by side
	@trap 'kill 0' EXIT; CHDB_LIB_PATH=$(CHDB) bin/stalker serve $(ARGS) & cd api/ui && npm run dev

.PHONY: generate
generate: api/ui/node_modules/.package-lock.json ## remake every generated file
	go generate ./...
	cd api/ui && npm run generate --silent

.PHONY: lint
lint: ## run the linters
	go tool -modfile=.ci/lint/go.mod golangci-lint run --config .ci/golangci.yml

.PHONY: fmt
fmt: ## format the Go code
	go tool -modfile=.ci/lint/go.mod golangci-lint fmt --config .ci/golangci.yml

.PHONY: tidy
tidy: ## tidy go.mod
	go mod tidy

.PHONY: clean
clean: ## remove what was built here (the shared cache stays)
	rm -rf bin api/ui/dist/assets api/ui/dist/index.html api/ui/node_modules
