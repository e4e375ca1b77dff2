.PHONY: run doctor build test check bench fuzz screenshots lighthouse vulnerabilities

TOOL = go tool -modfile=tools/go.mod

# With a .env the program talks to that Okta org, without one to the
# development provider, and an empty database gets the sample expenses.
run: build
	@if [ -f .env ]; then exec ./expense-dashboard; \
	else SAMPLE_DATA=$${SAMPLE_DATA:-true} exec bin/devidp ./expense-dashboard; fi

# Says what is wrong with the set-up, and what to do about it.
doctor: build
	@if [ -f .env ]; then exec ./expense-dashboard doctor; else exec bin/devidp ./expense-dashboard doctor; fi

build:
	@go build .
	@go build -o bin/ ./cmd/devidp

# The race detector needs a C compiler, the browser tests need Chromium, and
# the database tests run against PostgreSQL too. Most tests wait, for a disk, a
# browser or a deadline, so that more of them run at once than there are
# processors. SQLite, which is translated from C, keeps its data outside of Go's
# memory, where the detector does not look: compiled for it all the same it
# would take several times as long. go vet looks at more than go test would.
RACE = -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
test:
	@scripts/install-needs
	go test $$(command -v cc >/dev/null && echo $(RACE)) -vet=off -parallel 6 -timeout 30m ./...

check: test
	@files=$$($(TOOL) gofumpt -l .); [ -z "$$files" ] || { echo "gofumpt would change: $$files"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...

# What a request costs: the parts by themselves, then the program beside a bare
# handler, with ROWS expenses in one team. It needs Linux and two processors.
ROWS = 100000
bench:
	go test -run '^$$' -bench '^Benchmark(Request|LogLine)$$' -benchmem .
	@go build -trimpath -ldflags '-s -w' -o bin/expense-dashboard .
	@go build -C bench -o ../bin/bench .
	bin/bench -rows $(ROWS) bin/expense-dashboard

# Each fuzz target for FUZZTIME, say 10m.
FUZZTIME = 30s
fuzz:
	@for package in $$(go list ./...); do for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
		echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; done; done

# The pictures of the README, from the running program.
screenshots:
	@scripts/install-needs
	go test -run '^TestScreenshots$$' -screenshots docs .

# Scores each page with Lighthouse; the first time it needs the network.
lighthouse:
	@scripts/install-needs lighthouse
	go test -count=1 -timeout 30m -v -run '^TestLighthouse$$' -lighthouse "$(CURDIR)/tools/lighthouse/node_modules/.bin/lighthouse" .

# Needs the network.
vulnerabilities:
	$(TOOL) govulncheck ./...
