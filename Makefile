# SPDX-License-Identifier: GPL-3.0-or-later
# flightstrip: Meson does the work; this file is the vocabulary. `make help` lists it.
#
# Every target first installs what it lacks (tools/need.sh); when nothing is missing that costs a
# few milliseconds.

BUILD   := build
PREFIX  := /usr/local
SECONDS := 60
NAME    :=
PEERS   :=

# The system's own Python, where there is one: a shim that comes first in PATH may serve another.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)

PROGRAM := $(BUILD)/flightstrip
BUILD_SH := tools/build.sh $(BUILD) --prefix=$(PREFIX) --

.PHONY: all demo page test golden san fuzz bench peers lint fmt cov install clean help

all: need-build ## the program, as build/flightstrip
	@ninja -C $(BUILD) -n flightstrip 2>/dev/null | grep -q 'no work to do' || echo 'building $(PROGRAM)'
	@$(BUILD_SH) flightstrip

.PHONY: need-build
need-build:
	@tools/need.sh build test

demo: all ## a provisioning run acted out on this machine, its strip growing in the terminal and the browser
	@$(PROGRAM) rehearse user-driven-2019 --speed 60 --web auto

test: all ## every test; ends with `N passed, N failed`
	@echo 'testing'
	@$(PYTHON) tools/run_tests.py $(BUILD)

page: ## check, test and build the page into web/dist; wants Node 20.19 or later, with npm
	@tools/page.sh

golden: all ## rewrite the expected outputs in test/golden; the diff is what gets reviewed
	@$(PYTHON) test/golden/run.py --rewrite $(PROGRAM)

san: need-build ## every test under AddressSanitizer and UBSan, then under ThreadSanitizer
	@tools/need.sh san
	@PYTHON=$(PYTHON) tools/sanitize.sh

fuzz: need-build ## look for crashes: make fuzz [NAME=tls] [SECONDS=60]
	@tools/need.sh fuzz
	@tools/fuzz.sh $(SECONDS) $(NAME)

bench: all ## how fast it is, beside the aims and the peers: make bench [PEERS=--quick]
	@echo 'measuring CPU time'
	@ninja -C $(BUILD) --quiet bench-peers
	@ninja -C $(BUILD) --quiet bench-all
	@$(PYTHON) bench/tunnel_shows.py $(BUILD)
	@$(PYTHON) bench/page_stream.py $(BUILD)
	@[ ! -d web/node_modules ] || node bench/page.mjs $(BUILD)
	@$(PYTHON) bench/peers.py $(PEERS) $(BUILD)

peers: ## install the proxies that `make bench` measures beside this one; none is started
	@tools/need.sh peers

lint: all ## clang-format, clang-tidy, cppcheck, shellcheck
	@tools/need.sh lint
	@tools/lint.sh $(BUILD)

fmt: ## lay out the sources with clang-format
	@tools/need.sh lint
	@tools/sources.sh | xargs -r clang-format-14 -i

cov: need-build ## which lines the tests reach; a page in build-cov/coverage/index.html
	@tools/need.sh cov
	@PYTHON=$(PYTHON) tools/coverage.sh

install: all ## install the program, its manual and completion: make install [PREFIX=/usr] [DESTDIR=…]
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@$(BUILD_SH) flightstrip
	@if [ -n '$(DESTDIR)' ] || [ -w '$(PREFIX)' ]; then sudo=; else sudo=sudo; fi; \
	    $$sudo env DESTDIR='$(DESTDIR)' meson install -C $(BUILD) --no-rebuild --quiet
	@echo 'installed under $(DESTDIR)$(PREFIX)'

clean: ## remove what was built
	@rm -rf $(BUILD) build-asan build-tsan build-fuzz build-cov

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
