# Tests, benchmarks, fuzzing, lint. Included by the Makefile.

# ---- unit tests: tests/unit/ROOM/test_*.c, linked with ROOM and the rooms before it ---------------------

UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
# Rooms from `modem` on are tested against the simulated modem and on the simulated runtime.
TESTLIB  := $(BUILD)/lib/testlib.a
$(TESTLIB): $(call objects,$(wildcard tests/lib/*.c))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

define unit_rule
$(BUILD)/tests/unit/$(1)/%: $(BUILD)/obj/tests/unit/$(1)/%.o $$(TESTLIB) \
    $$(if $$(filter $(1),sim modem gateway engine spool ctl app),$$(BUILD)/lib/simmodem.a) \
    $$(call libs,$$(if $$(filter sim,$(1)),pdu base,$$(call upto,$(1))))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ -lcmocka $$(PKGLIBS)
endef
$(foreach r,$(ROOMS) sim,$(eval $(call unit_rule,$(r))))
.PRECIOUS: $(BUILD)/obj/%.o

# ---- fuzz targets: tests/fuzz/fuzz_*.c; their corpora are replayed in the ordinary run -------------------

FUZZ_SRC    := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_REPLAY := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(FUZZ_SRC))
define fuzz_rule
$(BUILD)/tests/fuzz/fuzz_$(1)_%: $(BUILD)/obj/tests/fuzz/fuzz_$(1)_%.o $(BUILD)/obj/tests/fuzz/replay.o \
    $(call libs,$(call upto,$(1)))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(PKGLIBS)
endef
$(foreach r,$(ROOMS),$(eval $(call fuzz_rule,$(r))))
