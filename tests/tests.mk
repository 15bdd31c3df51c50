# Tests, benchmarks, fuzzing, lint. Included by the Makefile.

CHECK := tests/run.py

# ---- unit tests: tests/unit/ROOM/test_*.c, linked with ROOM and the rooms before it ---------------------

UNIT_ROOMS := $(ROOMS) sim cli
UNIT_SRC   := $(wildcard tests/unit/*/test_*.c)
UNIT       := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
unit_of     = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/$(1)/test_*.c))

# The simulated runtime and ports (tests/lib); rooms from `modem` on are tested with the simulated modem on it.
TESTLIB := $(BUILD)/lib/testlib.a
$(TESTLIB): $(call objects,$(wildcard tests/lib/*.c))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The command without its main(): it stands alone, on base and pdu.
$(BUILD)/lib/cli.a: $(call objects,$(filter-out src/cli/main.c,$(wildcard src/cli/*.c)))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

unit_libs = $(if $(filter sim,$(1)),pdu base,$(if $(filter cli,$(1)),cli pdu base,$(call upto,$(1))))
define unit_rule
$(BUILD)/tests/unit/$(1)/%: $(BUILD)/obj/tests/unit/$(1)/%.o $$(TESTLIB) $$(BUILD)/lib/simmodem.a \
    $$(call libs,$$(call unit_libs,$(1)))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(ALL_LDFLAGS) -o $$@ -Wl,--start-group $$^ -Wl,--end-group -lcmocka $$(PKGLIBS)
endef
$(foreach r,$(UNIT_ROOMS),$(eval $(call unit_rule,$(r))))
.PRECIOUS: $(BUILD)/obj/%.o

# ---- the whole gateway on simulated time: tests/sim/*.c -------------------------------------------------

SIMULATION := $(BUILD)/tests/simulation
$(SIMULATION): $(call objects,$(wildcard tests/sim/*.c)) $(TESTLIB) $(BUILD)/lib/simmodem.a $(call libs,$(call upto,app))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(PKGLIBS)

# ---- fuzz targets: tests/fuzz/fuzz_ROOM_*.c; their corpora are replayed in the ordinary run --------------

FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ      := $(patsubst tests/fuzz/%.c,%,$(FUZZ_SRC))
FUZZ_SECONDS ?= 60
define fuzz_rule
$(BUILD)/tests/fuzz/fuzz_$(1)_%: $(BUILD)/obj/tests/fuzz/fuzz_$(1)_%.o $(BUILD)/obj/tests/fuzz/replay.o \
    $(TESTLIB) $(BUILD)/lib/simmodem.a $(call libs,$(call upto,$(1)))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(ALL_LDFLAGS) -o $$@ -Wl,--start-group $$^ -Wl,--end-group $$(PKGLIBS)
endef
$(foreach r,$(ROOMS),$(eval $(call fuzz_rule,$(r))))

# clang's fuzzer is linked with everything the target's room may know, in its own build folder.
fuzz_room = $(word 2,$(subst _, ,$(1)))
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
.PHONY: fuzz $(addprefix fuzz-,$(FUZZ))
fuzz: $(addprefix fuzz-,$(FUZZ)) ## fuzz every decoder, FUZZ_SECONDS=60 each
$(addprefix fuzz-,$(FUZZ)): fuzz-%:
	@$(MAKE) --no-print-directory BUILD=build/fuzz CC=$(CLANG) CFLAGS_MODE='$(FUZZ_FLAGS)' MODE=debug fuzz-build-$*
	@mkdir -p build/fuzz/new/$*
	build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -max_len=4096 \
	    -artifact_prefix=build/fuzz/ build/fuzz/new/$* tests/fuzz/corpus/$*
fuzz-build-%:
	@$(MAKE) --no-print-directory BUILD=$(BUILD) CC=$(CC) CFLAGS_MODE='$(CFLAGS_MODE)' $(BUILD)/obj/tests/fuzz/$*.o \
	    $(TESTLIB) $(BUILD)/lib/simmodem.a $(call libs,$(call upto,$(call fuzz_room,$*)))
	$(CC) -fsanitize=fuzzer,address,undefined -o $(BUILD)/$* $(BUILD)/obj/tests/fuzz/$*.o -Wl,--start-group $(TESTLIB) \
	    $(BUILD)/lib/simmodem.a $(call libs,$(call upto,$(call fuzz_room,$*))) -Wl,--end-group $(PKGLIBS)

# ---- judges: independent programs decode what we encode, and the other way -------------------------------

$(BUILD)/tests/judges/%: $(BUILD)/obj/tests/judges/%.o $(call libs,pdu base)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(if $(filter judge_gammu,$*),-lGammu) $(PKGLIBS)
$(BUILD)/obj/tests/judges/judge_gammu.o: CFLAGS += $(shell pkg-config --cflags gammu 2>/dev/null)
JUDGES := $(patsubst tests/judges/%.c,$(BUILD)/tests/judges/%,$(wildcard tests/judges/*.c))

# ---- benchmarks ------------------------------------------------------------------------------------------

BENCH_SRC := $(wildcard tests/bench/bench_*.c)
BENCH     := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(BENCH_SRC))
$(BUILD)/tests/bench/%: $(BUILD)/obj/tests/bench/%.o $(TESTLIB) $(BUILD)/lib/simmodem.a $(call libs,$(call upto,app))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(PKGLIBS)

.PHONY: bench bench-peers
bench: need-build ## measure; figures for docs/performance.md
	@$(MAKE) --no-print-directory MODE=release all $(BENCH)
	@python3 tests/bench/run.py $(BUILD)
bench-peers: need-test ## smstools beside simgate on the same simulated modem
	@$(MAKE) --no-print-directory MODE=release all
	@python3 tests/bench/peers.py $(BUILD)

# ---- what people call ------------------------------------------------------------------------------------

.PHONY: need-build need-test check test lint format coverage demo compile_commands.json
need-build:
	@tests/need.sh build
need-test:
	@tests/need.sh test

lint: ## the order of the rooms, and settings that gateway.conf(5) leaves out
	@tests/lint.py

format: ## clang-format on all sources
	clang-format -i $(shell git ls-files '*.c' '*.h')

# Programs are built side by side, and run by $(CHECK) as many at a time as it says.
PARALLEL := --no-print-directory -j$(shell nproc)

# Each run adds to one sum; the last line is the sum of all.
SUM := build/test-counts.json
dashed = $(foreach p,$(1), -- $(p))

check: need-test ## quick: lint, unit tests and fuzz corpora with sanitizers
	@rm -f $(SUM)
	@$(MAKE) --no-print-directory -j1 check-static check-unit
	@$(CHECK) --total $(SUM)

.PHONY: check-static check-unit check-unit-run check-thread check-thread-run check-judges check-simulation check-e2e
check-static:
	@$(CHECK) --sum $(SUM) --title 'lint' -- tests/lint.py

check-unit:
	@$(MAKE) $(PARALLEL) MODE=asan check-unit-run
check-unit-run: $(UNIT) $(addprefix $(BUILD)/tests/fuzz/,$(FUZZ))
	@$(CHECK) --sum $(SUM) --title 'unit tests (address and undefined behaviour sanitizers)' $(call dashed,$(UNIT))
	@$(CHECK) --sum $(SUM) --title 'fuzz corpora' \
	    $(foreach f,$(FUZZ), -- $(BUILD)/tests/fuzz/$(f) tests/fuzz/corpus/$(f))

check-thread:
	@$(MAKE) $(PARALLEL) MODE=tsan check-thread-run
check-thread-run: $(call unit_of,store) $(call unit_of,os)
	@$(CHECK) --sum $(SUM) --title 'store and runtime (thread sanitizer)' $(call dashed,$^)

check-judges: $(JUDGES)
	@$(CHECK) --sum $(SUM) --title 'PDUs judged by tshark and libgammu' -- $(BUILD)/tests/judges/judge_gammu \
	    -- python3 tests/judges/judge_tshark.py $(BUILD)

SEEDS ?= 2000
WEEKS ?= 100
PIN_STORIES ?= 10000
check-simulation:
	@$(MAKE) $(PARALLEL) MODE=release check-simulation-run
	@$(MAKE) $(PARALLEL) MODE=asan check-simulation-asan
.PHONY: check-simulation-run check-simulation-asan
check-simulation-run: $(SIMULATION)
	@$(CHECK) --sum $(SUM) --title 'the whole gateway on simulated time' \
	    -- $(SIMULATION) --seeds 1:$(SEEDS):2 -- $(SIMULATION) --seeds 2:$(SEEDS):2 -- $(SIMULATION) --month -- $(SIMULATION) --every-commit -- $(SIMULATION) --shop
	@$(CHECK) --sum $(SUM) --title 'complaints, families and faults, PINs, weeks of chaos' \
	    -- $(SIMULATION) --complaints -- $(SIMULATION) --matrix -- $(SIMULATION) --pins 1:$(PIN_STORIES) \
	    -- $(SIMULATION) --chaos 1:$(WEEKS):2 -- $(SIMULATION) --chaos 2:$(WEEKS):2
check-simulation-asan: $(SIMULATION)
	@$(CHECK) --sum $(SUM) --title 'the same with sanitizers' -- $(SIMULATION) --seeds 1:100:2 -- $(SIMULATION) --seeds 2:100:2 \
	    -- $(SIMULATION) --shop --seed 44

E2E := $(sort $(wildcard tests/e2e/test_*.py))
check-e2e: all
	@$(CHECK) --sum $(SUM) --jobs 3 --title 'real programs, end to end' $(foreach t,$(E2E), -- python3 $(t) $(BUILD))

.PHONY: check-vm
check-vm: all ## the installed gateway on a booted Debian with USB modems, where QEMU can run
	@tests/need.sh vm || true # it says itself what it cannot do without
	@$(CHECK) --sum $(SUM) --title 'installed, on a booted machine with USB modems' -- python3 tests/vm/test_vm.py $(BUILD)

# Modems of real families. Each has the tests of the gateway's daily life, two (a stick on USB and a module on a
# serial line) those of every trouble too. They wait more than they compute.
FAMILIES       := $(shell sed -n 's/^ *{\.name = "\(.*\)",/\1/p' hw/sim/personality_*.c)
FAMILY_TESTS   := smallest text consent ussd
FAMILIES_WHOLE := huawei-e173 simcom-sim800
WHOLE_TESTS    := spool calls alarms reload many kill unplug hang
as_family       = $(foreach p,$(1),$(foreach t,$(2), -- python3 tests/e2e/as.py $(p) tests/e2e/test_$(t).py $(BUILD)))
# A modem that rests for a second behind each message takes minutes for the texts.
FAMILIES_SLOW  := wavecom-q24
check-personalities: all ## end to end with the simulated modem's personalities
	@$(CHECK) --sum $(SUM) --jobs 6 --title 'end to end, with each family of modems' \
	    $(call as_family,$(FAMILIES_SLOW),$(filter-out text,$(FAMILY_TESTS))) \
	    $(call as_family,$(FAMILIES_WHOLE),$(WHOLE_TESTS)) \
	    $(call as_family,$(filter-out $(FAMILIES_SLOW),$(FAMILIES)),$(FAMILY_TESTS))
.PHONY: check-personalities

# Every family with every test that drives a modem (peers, demo, profiles and simulated_modem have modems of their own):
# more than half an hour, so that CI has the part of it above only.
# A part of it: make check-families FAMILIES=telit-le910 MODEM_TESTS='spool kill' JOBS=1
MODEM_TESTS := $(FAMILY_TESTS) $(WHOLE_TESTS) doors probe trace service
JOBS ?= 3
check-families: all ## each family of modems with each end-to-end test that drives one; a table, in half an hour and more
	@python3 tests/e2e/families.py --jobs $(JOBS) $(BUILD) '$(FAMILIES)' '$(MODEM_TESTS)'
.PHONY: check-families

test: need-test ## everything that CI runs
	@rm -f $(SUM)
	@$(MAKE) $(PARALLEL) WERROR=1 all
	@$(MAKE) --no-print-directory -j1 WERROR=1 check-static check-unit check-thread check-judges check-simulation check-e2e check-personalities check-vm
	@$(MAKE) --no-print-directory coverage
	@$(CHECK) --total $(SUM)

coverage: ## unit tests and some simulation with coverage counted; prints the share
	@$(MAKE) $(PARALLEL) MODE=coverage coverage-run
.PHONY: coverage-run
coverage-run: $(UNIT) $(SIMULATION)
	@find $(BUILD) -name '*.gcda' -delete
	@for t in $(UNIT); do $$t >/dev/null 2>&1 || true; done; $(SIMULATION) --seeds 1:20 >/dev/null || true
	@gcovr --root . --object-directory $(BUILD) --filter src/ --filter hw/ --exclude '.*/main.c' --print-summary \
	    --gcov-ignore-parse-errors --txt $(BUILD)/coverage.txt | grep -E '^(lines|functions|branches)'; echo "by file: $(BUILD)/coverage.txt"

compile_commands.json: ## for clangd
	@$(MAKE) --no-print-directory --always-make --dry-run V=1 BUILD=build/tidy all \
	    | python3 tests/compile_commands.py > $@

demo: need-build ## a small shop on a simulated modem, end to end
	@$(MAKE) $(PARALLEL) MODE=release all
	@python3 tests/demo.py $(BUILD)
