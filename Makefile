# What one needs to build, try and check Weft. `make` alone lists the targets.
# A fresh Debian machine needs no more than Swift and make; `setup` brings the rest.

SWIFT ?= swift
PREFIX ?= /usr/local
BINARY := .build/release/weft
SOURCES := Sources Tests Plugins Benchmarks Examples Fuzzing/Driver Fuzzing/Targets Fuzzing/Tests Fuzzing/Package.swift Package.swift
# What a page of `weft show --html` runs in the browser.
PAGE_SCRIPTS := $(wildcard Sources/WeftCommand/Support/Show/*.js)
# Tests see the internals, which needs other compiler flags; in a folder of their own the two
# builds do not undo each other.
TESTING := --scratch-path .build/testing -c release -Xswiftc -enable-testing

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-oclgrind gpu-table fuzz lint format install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing (OpenCL headers and loader, PoCL, libpng, zlib, CLP), with apt
	@Scripts/setup

build: setup ## build the weft command
	@echo "Building weft (a first build takes a few minutes) …"
	@$(SWIFT) build -c release --product weft
	@echo "Building the kernels of the bundled models …"
	@$(BINARY) warm --all || echo "make build: kernels will be built by the first run" >&2

demo: build ## find people and places in a novel's pages, and draw digits from noise
	@$(BINARY) demo

test: setup ## run all tests
	@$(SWIFT) test $(TESTING)

test-oclgrind: build ## run the kernels under Oclgrind: data races, bad accesses, uninitialised values
	@Scripts/setup --oclgrind
	@Scripts/test-oclgrind $(BINARY)

gpu-table: build ## compile the GPU's kernels for GPUs that need not be there, and write Benchmarks/GPU.md
	@Scripts/setup --gpu-code
	@Scripts/check-gpu-code --write $(BINARY)

fuzz: setup ## broken input for all that reads files, SECONDS (10) for each; argmaxability against exact arithmetic
	@Scripts/fuzz --seconds $(or $(SECONDS),10)
	@WEFT_FUZZ_LAYERS=$$((2000 + 100 * $(or $(SECONDS),10))) WEFT_FUZZ_SEED=$$(date +%s) \
	  $(SWIFT) test $(TESTING) --filter ArgmaxabilityFuzzTests

lint: ## check the formatting and the style of all Swift sources, and the syntax of page scripts
	@$(SWIFT) format lint --strict --parallel --recursive $(wildcard $(SOURCES))
	@if command -v node >/dev/null; then \
	  for script in $(PAGE_SCRIPTS); do node --check "$$script" || exit 1; done; \
	else echo "lint: without node, $(notdir $(PAGE_SCRIPTS)) are not checked"; fi
	@echo "lint: clean"

format: ## format all Swift sources
	@$(SWIFT) format --in-place --parallel --recursive $(wildcard $(SOURCES))

install: ## install below PREFIX (/usr/local), after `make build`
	@test -x $(BINARY) || { echo "make install: run 'make build' first" >&2; exit 1; }
	@install -d "$(DESTDIR)$(PREFIX)/lib/weft" "$(DESTDIR)$(PREFIX)/bin"
	@install -m 755 $(BINARY) "$(DESTDIR)$(PREFIX)/lib/weft/weft"
	@rm -rf "$(DESTDIR)$(PREFIX)/lib/weft/Models"
	@cp -R Models "$(DESTDIR)$(PREFIX)/lib/weft/Models"
	@rm -rf "$(DESTDIR)$(PREFIX)/lib/weft/Examples"
	@cp -R Examples "$(DESTDIR)$(PREFIX)/lib/weft/Examples"
	@ln -sfn ../lib/weft/weft "$(DESTDIR)$(PREFIX)/bin/weft"
	@# Not as root: kernels are kept for each user, and root's files in a user's cache would shut it to them.
	@if test -z "$(DESTDIR)" && test "$$(id -u)" -ne 0; then "$(PREFIX)/bin/weft" warm --all >/dev/null || true; fi
	@echo "installed $(DESTDIR)$(PREFIX)/bin/weft"

clean: ## remove everything that was built
	@rm -rf .build Benchmarks/.build Fuzzing/.build
