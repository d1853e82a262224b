# SPDX-License-Identifier: GPL-3.0-or-later
# flightstrip: Meson does the work; this file is the vocabulary. `make help` lists it.
BUILD := build
SECONDS := 60

.PHONY: all test bench fuzz
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@meson setup $(BUILD) >/dev/null

test: all
	@meson test -C $(BUILD) --print-errorlogs

bench: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet bench-all

fuzz:
	@tools/fuzz.sh $(SECONDS) $(NAME)
