# flightstrip: Meson does the work; this file is the vocabulary. `make help` lists it.
BUILD := build

.PHONY: all test
all:
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

test: all
	@meson test -C $(BUILD) --print-errorlogs
