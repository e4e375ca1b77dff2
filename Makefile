# The habits of this project. Everything they need beside Go and make is
# installed by scripts/needs where that is possible.

.PHONY: run build test check bench

# With a .env the program talks to that Okta org, without one to the
# development provider.
run: build
	@if [ -f .env ]; then exec ./expense-dashboard; else exec bin/devidp ./expense-dashboard; fi

build:
	@go build .
	@go build -o bin/ ./cmd/devidp
