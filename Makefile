# The two commands: `make run` starts a trial agent, `make test` passes the tests.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X datakit.dev/internal/app.Version=$(VERSION)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
TARGETS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
FUZZ    ?= 20s
SOAK    ?= 10h
EVERY   ?= 70s
# The race detector needs a C compiler; CI has one.
RACE    := $(if $(shell command -v gcc cc 2>/dev/null),-race)
TEST    := CGO_ENABLED=$(if $(RACE),1,0) $(GO) test $(RACE)
# What is published is built by a module of its own, whose libraries the agent does not know.
RELEASE := cd tools/release && $(GO) run . -version $(VERSION) -targets '$(TARGETS)' -out ../../dist

.DEFAULT_GOAL := help
.PHONY: help build console build-all release image run test test-all servers soak lint bench measure fuzz docs site clean deps

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: console ## Build bin/datakit for this machine
	$(BUILD) -o bin/ ./cmd/datakit

console: ## Build the console's pages into the agent, where npm is there
	@scripts/console build

build-all: console ## Build for every platform into dist/
	@set -e; for t in $(TARGETS); do \
	  os=$${t%/*}; arch=$${t#*/}; ext=; [ $$os = windows ] && ext=.exe; \
	  echo "build $$os/$$arch"; \
	  GOOS=$$os GOARCH=$$arch $(BUILD) -o dist/datakit-$$os-$$arch$$ext ./cmd/datakit; \
	done

release: console ## Build archives, packages, bills of materials and checksums into dist/
	@$(RELEASE) packages

image: console ## Build the container image for every Linux into dist/, without Docker
	@$(RELEASE) image

run: build ## Start a trial agent: points on the terminal, a file store to play with
	@exec bin/datakit run --dev

deps: ## Install the servers that the tests talk to
	@scripts/test-deps

test: deps console ## Run every test, with the race detector
	scripts/console test
	$(GO) vet ./...
	$(TEST) -timeout 15m ./...
	cd tools/release && $(GO) vet . && CGO_ENABLED=0 $(GO) test -timeout 10m .

test-all: console ## Run every test, also those whose servers have to be built (an hour, once)
	scripts/console test
	@scripts/test-deps --all
	$(GO) vet ./...
	DATAKIT_TEST_ALL=1 $(TEST) -timeout 30m ./...
	cd tools/release && DATAKIT_TEST_ALL=1 CGO_ENABLED=0 $(GO) test -timeout 30m .

servers: deps ## Start a server of every store that is installed, to play with
	@$(GO) test ./internal/testserver -run TestPlay -parallel 20 -count=1 -timeout 0 -v -play | grep --line-buffered -v -e '^=== ' -e '^---'

soak: deps ## Change keys of several stores for SOAK (10h), one each EVERY (70s)
	$(GO) test ./internal/e2e -run TestSoak -count=1 -v -timeout 0 -soak $(SOAK) -soak-every $(EVERY)

lint: ## Check style, floors and formatting
	@mkdir -p .cache
	cd tools && $(GO) build -o ../.cache/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.cache/golangci-lint run --allow-parallel-runners ./...
	cd tools/release && ../../.cache/golangci-lint run --allow-parallel-runners .
	scripts/console lint

bench: ## Run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

measure: ## Print the figures of docs/performance.md (about 20 minutes)
	$(GO) test ./internal/e2e -run 'Measure|TestChangesTouchNothingElse|TestEditsUnderLoadLoseNoPoint' -count=1 -v -timeout 40m -measure

fuzz: ## Run each fuzz target for FUZZ (20s)
	@scripts/fuzz $(FUZZ)

docs: ## Write the generated reference pages
	$(GO) test ./internal/app -run TestReference -count=1 -update

site: ## Build the manuals into one site, dist/site, in both languages
	@scripts/site

clean: ## Remove what was built
	rm -rf bin dist .cache web/node_modules
	git clean -qfdX internal/console/dist
