.PHONY: run doctor build help test test-root test-packages check static try faults soak bench fuzz screenshots lighthouse validate interop vulnerabilities

TOOL = go tool -modfile=tools/go.mod
# What is built and looked at without the folder's path in it serves in another clone too.
export GOFLAGS := $(shell go env GOFLAGS) -trimpath

## run: build and serve; with a .env for that Okta org, else beside the development provider with sample expenses
run: build
	@if [ -f .env ]; then exec ./expense-dashboard; \
	else SAMPLE_DATA=$${SAMPLE_DATA:-true} TEAMS_FILE=$${TEAMS_FILE:-examples/teams.json} exec bin/devidp $(DEVIDP) ./expense-dashboard; fi

## doctor: say what is wrong with the set-up, and what to do about it
doctor: build
	@if [ -f .env ]; then exec ./expense-dashboard doctor; else exec bin/devidp ./expense-dashboard doctor; fi

## build: the program and the development provider
build:
	@go build .
	@go build -o bin/ ./cmd/devidp

## help: print this
help:
	@awk -F ': ' '/^## / { printf "make %-16s %s\n", substr($$1, 4), $$2 }' Makefile

# The database tests run against PostgreSQL too, and the browser tests need Chromium.
# Most tests wait, for a disk, a browser or a deadline, so that more of them run at once
# than there are processors. go vet looks at more than go test would. In CI no result
# of an earlier run stands for a test.
SCRATCH = GOTMPDIR=$${TMPDIR:-/tmp} TMPDIR=$$(scripts/scratch-folder)
TEST = $(SCRATCH) go test $(if $(CI),-count=1) -vet=off -ldflags=-w -parallel 6 -timeout 30m
# The race detector, which needs a C compiler, watches what goroutines share. SQLite,
# which is translated from C, keeps its data outside of Go's memory, where the detector
# does not look: compiled for it all the same it would take several times as long. Where
# one goroutine does one thing after another, or what is shared is the database, it would
# take most of the time and show nothing. So of the root's tests it watches those where
# much happens at once or goes away, and the other packages but some; what
# internal/acceptance starts is the program as it is shipped.
RACE = $$(command -v cc >/dev/null && echo -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false)
RACED = AtOnce|Away|Bounded|Clock|EveryCopy|Deadline|EndedSessions|First|Flapping|Flood|Hang|KeyEndpoint|KeyRotation|LastUse|Meanwhile|OnSessions|Oversized|PassingDiscovery|Ready|Recheck|Restart|SecurityHeaders|SIGTERM|Slow|TeamsFile|TwoTabs|WithoutTheDatabase
ALONE = ./internal/expense/... ./internal/store/internal/batch ./internal/store/internal/budget ./internal/store/internal/ledger ./internal/store/internal/names ./internal/store/upkeep
## test: all tests, in a real browser and on PostgreSQL too; installs what they need where it can
test:
	@scripts/install-needs
	@$(MAKE) --no-print-directory -j2 -O test-root test-packages
	$(TEST) $(ALONE) ./internal/acceptance

## test-root: those of the root alone
test-root:
	$(TEST) $(RACE) -run '$(RACED)' .
	$(TEST) -skip '$(RACED)' .

## test-packages: those of most packages alone
test-packages:
	$(TEST) $(RACE) $$(go list ./... | grep -vxF "$$(go list . $(ALONE) ./internal/acceptance)")

## check: the tests, format, vet and staticcheck
check: test static

## static: format, vet and staticcheck
static:
	@files=$$($(TOOL) gofumpt -l .); [ -z "$$files" ] || { echo "gofumpt would change: $$files"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...

## try: the examples for nginx and Caddy, with ten restarts under load each; installs the two where it can
try:
	@scripts/install-proxies
	examples/try nginx
	examples/try caddy

## faults: let things go wrong under load, each for FAULTS=2s, and print what people see of it
FAULTS = 2s
faults:
	@go build -ldflags '-s -w' -o bin/expense-dashboard .
	@go build -C bench -o ../bin/bench .
	bin/bench -rows 500 -faults $(FAULTS) bin/expense-dashboard

## soak: let people use the program for SOAK=1h with ROWS expenses, and print whether its memory stays flat
SOAK = 1h
soak:
	@go build -ldflags '-s -w' -o bin/expense-dashboard .
	@go build -C bench -o ../bin/bench .
	bin/bench -rows $(ROWS) -soak $(SOAK) bin/expense-dashboard

# The parts by themselves, then the program beside a bare handler. It needs Linux
# and two processors.
## bench: what a request costs, with ROWS=100000 expenses in one team, and how long people wait beside an import
ROWS = 100000
bench:
	go test -run '^$$' -bench '^Benchmark(Request|LogLine)$$' -benchmem .
	@go build -ldflags '-s -w' -o bin/expense-dashboard .
	@go build -C bench -o ../bin/bench .
	bin/bench -rows $(ROWS) bin/expense-dashboard
	bin/bench -rows 20000 -import 20000 bin/expense-dashboard

## fuzz: each fuzz target for FUZZTIME=30s
FUZZTIME = 30s
fuzz:
	@for package in $$(go list ./...); do for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
		echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; done; done

## screenshots: make the pictures of the documents, from the running program
screenshots:
	@scripts/install-needs
	go test -run '^TestScreenshots$$' ./internal/acceptance -screenshots "$(CURDIR)/docs"

## lighthouse: score each page with Lighthouse; the first time it needs the network
lighthouse:
	@scripts/install-needs lighthouse
	go test -count=1 -timeout 30m -v -run '^TestLighthouse$$' ./internal/acceptance -lighthouse "$(CURDIR)/tools/lighthouse/node_modules/.bin/lighthouse"

# Tables name their roles, since browsers take those of one that is laid out as
# lines on a phone, and a button that sends its form needs no type. A form that is
# there to be read, of an expense that is gone, has no button. Fields of one name make
# a list.
## validate: hold each page in each of its states against html-validate; the first time it needs the network
validate:
	@scripts/install-needs html-validate
	@rm -rf bin/states && mkdir -p bin/states
	go test -count=1 -vet=off -run '^TestRender$$' ./internal/web/internal/page -states "$(CURDIR)/bin/states"
	tools/html-validate/node_modules/.bin/html-validate --config tools/html-validate/rules.json bin/states

## interop: sign in and out with the providers of other makers, in Chromium; the first time it needs the network
interop: build
	@scripts/install-needs interop
	@go build -C tools/interop -o ../../bin/interop .
	bin/interop -dex-web "$$(go list -C tools/interop -m -f '{{.Dir}}' github.com/dexidp/dex)/web" ./expense-dashboard

## vulnerabilities: look for known ones with govulncheck; needs the network
vulnerabilities:
	$(TOOL) govulncheck ./...
