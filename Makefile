# simgate. `make help` lists what can be made.
#
# MODE = release (default) | debug | asan | tsan; BUILD=dir moves the outputs; WERROR=1 turns warnings into
# errors, as CI does; V=1 shows the commands; PREFIX and DESTDIR as usual for install.

MODE   ?= release
BUILD  ?= $(if $(filter release,$(MODE)),build,build/$(MODE))
WERROR ?= 0
V      ?= 0

PREFIX     ?= /usr
SYSCONFDIR ?= /etc
STATEDIR   ?= /var/lib
UNITDIR    ?= /lib/systemd/system

VERSION := 0.1.0

# The rooms in the order in which they may know each other (docs/architecture.md). A unit test of a room is
# linked with that room and the rooms before it, and nothing else; `make lint` checks the includes.
ROOMS := base pdu at os store modem gateway engine desk spool ctl app

CC       ?= cc
CLANG    ?= clang
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-format-truncation \
            $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS_release := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS_debug   := -Og -g3
CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CFLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic
CFLAGS_MODE    := $(CFLAGS_$(MODE))
LDFLAGS_asan   := -fsanitize=address,undefined
LDFLAGS_tsan   := -fsanitize=thread
LDFLAGS_coverage := --coverage
LDFLAGS_release := -Wl,-z,relro,-z,now

PKGS     := libuv libserialport sqlite3 libconfig jansson libpcre2-8 libsystemd libudev glib-2.0 libcurl \
            gnutls lua5.4
PKGFLAGS = $(shell pkg-config --cflags $(PKGS))
PKGLIBS  = -Wl,--as-needed $(shell pkg-config --libs $(PKGS)) -lm -lpthread

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -DSIMGATE_VERSION='"$(VERSION)"' -Isrc -I. $(WARNINGS) $(CFLAGS_MODE) \
              $(PKGFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(MODE)) $(LDFLAGS)

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-5s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))')

PROGRAMS := $(BUILD)/simgated $(BUILD)/simgate $(BUILD)/simgate-modem

.PHONY: all help
all: $(PROGRAMS) ## build/simgated, build/simgate, build/simgate-modem

help: ## this list
	@echo 'make [MODE=release|debug|asan|tsan] [V=1] [WERROR=1] TARGET'
	@awk -F ':.*## ' '/^[a-z_.%-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- objects and libraries ----------------------------------------------------------------------------

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
SRC_app := $(filter-out src/app/main.c,$(wildcard src/app/*.c))
sources = $(if $(filter app,$(1)),$(SRC_app),$(wildcard src/$(1)/*.c))
# A room and all rooms before it, the last first, as a linker wants them.
upto = $(if $(1),$(call upto_,$(1),$(ROOMS),))
upto_ = $(if $(filter $(1),$(firstword $(2))),$(1) $(3),$(call upto_,$(1),$(wordlist 2,99,$(2)),$(firstword $(2)) $(3)))
libs = $(patsubst %,$(BUILD)/lib/%.a,$(1))

$(BUILD)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define room_lib
$(BUILD)/lib/$(1).a: $$(call objects,$$(call sources,$(1)))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_lib,$(r))))

# The simulated modem's pure core.
SIM_CORE := $(filter-out hw/sim/main.c hw/sim/shell%.c,$(wildcard hw/sim/*.c))
SIM_SHELL := hw/sim/main.c $(wildcard hw/sim/shell*.c)
$(BUILD)/lib/simmodem.a: $(call objects,$(SIM_CORE))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

link = $(call say,LINK,$@)$(newline)	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKGLIBS)
define newline


endef

$(BUILD)/simgated: $(call objects,src/app/main.c) $(call libs,$(call upto,app))
	$(link)
$(BUILD)/simgate: $(call objects,$(wildcard src/cli/*.c)) $(call libs,pdu base)
	$(link)
$(BUILD)/simgate-modem: $(call objects,$(SIM_SHELL)) $(BUILD)/lib/simmodem.a $(call libs,pdu base)
	$(link)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

include tests/tests.mk
include install.mk
