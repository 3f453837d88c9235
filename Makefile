.DEFAULT_GOAL := help
GO ?= go
# The tools that make lint runs, pinned; go fetches them.
TEMPL := github.com/a-h/templ/cmd/templ@v0.3.977
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
FUZZTIME ?= 60s

.PHONY: help
help: ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./muster
	$(GO) build -o muster ./cmd/muster

.PHONY: demo
demo: ## run the demonstration
	$(GO) run ./cmd/muster demo

.PHONY: generate
generate: ## make the Go code of the pages' templates
	$(GO) run $(TEMPL) generate -path internal/web

.PHONY: screenshots
screenshots: ## take the pictures of the documentation, in Chromium
	MUSTER_DOC_SCREENSHOTS=$(CURDIR)/docs/screenshots $(GO) test ./cmd/muster -run TestScreenshots -count=1

.PHONY: tools
tools: ## install what the tests need and the machine lacks: a PostgreSQL server, the sqlite3 shell, Chromium, vipsthumbnail
	sh scripts/install-test-tools.sh

.PHONY: test
test: tools ## everything that CI runs: vet, all tests on both engines, with the race detector, and a short run of each fuzz target
	$(GO) vet ./...
	CI=true $(GO) test -timeout 40m ./...
	CI=true $(GO) test -race -short -timeout 40m ./...
	$(MAKE) fuzz FUZZTIME=5s

.PHONY: quick
quick: ## all tests once, without the race detector; what needs a missing server is skipped
	$(GO) test -short ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (60s)
	sh scripts/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: ## vet, staticcheck, gofmt, templates and their code alike, and the files that are long
	@sh scripts/templates.sh $(GO) run $(TEMPL)
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	@sh scripts/sizes.sh

.PHONY: bench
bench: tools ## measure 1,000,000 users against the raw loaders of both engines; writes docs/performance.md (about an hour)
	$(GO) run ./cmd/muster bench --out docs/performance.md
