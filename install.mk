# install and uninstall. Included by the Makefile.

BINDIR      := $(DESTDIR)$(PREFIX)/bin
MANDIR      := $(DESTDIR)$(PREFIX)/share/man
DOCDIR      := $(DESTDIR)$(PREFIX)/share/doc/simgate
HEADERS     := $(DESTDIR)$(PREFIX)/include/simgate
COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
UNITS       := $(DESTDIR)$(UNITDIR)
SYSUSERS    := $(DESTDIR)$(PREFIX)/lib/sysusers.d
TMPFILES    := $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
CONFDIR     := $(DESTDIR)$(SYSCONFDIR)/simgate

PROFILES    := $(DESTDIR)$(PREFIX)/share/simgate/profiles
UDEVDIR     ?= /lib/udev
UDEVRULES   := $(DESTDIR)$(UDEVDIR)/rules.d
RULES       := udev/60-simgate.rules udev/78-simgate-mm-ignore.rules

MANPAGES    := $(wildcard docs/*.[1578])
manpage_dir  = $(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))

# Where a program looks for the families of modems when there are none beside it.
$(BUILD)/obj/src/app/profiles.o: CFLAGS += -DSIMGATE_PREFIX='"$(PREFIX)"'

# Programs of the build folder read them from the sources.
all: $(BUILD)/profiles
$(BUILD)/profiles:
	@mkdir -p $(@D)
	$(Q)ln -sfn $(abspath hw/profiles) $@

.PHONY: udev
udev: $(BUILD)/simgated $(BUILD)/profiles ## udev/60-simgate.rules from hw/profiles, after a change there
	$(BUILD)/simgated -c udev/none --udev-rules > udev/60-simgate.rules

.PHONY: install uninstall clean
install: all ## programs, unit, manual pages, examples, completion, gateway.conf (never overwritten)
	install -d $(BINDIR) $(DOCDIR) $(HEADERS) $(COMPLETIONS) $(UNITS) $(SYSUSERS) $(TMPFILES)
	install -d -m 0750 $(CONFDIR)
	install -m 0755 $(PROGRAMS) $(BINDIR)
	sed 's,/usr/bin,$(PREFIX)/bin,; s,/etc/simgate,$(SYSCONFDIR)/simgate,g' systemd/simgated.service > $(UNITS)/simgated.service
	chmod 0644 $(UNITS)/simgated.service
	install -m 0644 systemd/simgate.sysusers $(SYSUSERS)/simgate.conf
	install -m 0644 systemd/simgate.tmpfiles $(TMPFILES)/simgate.conf
	install -m 0644 docs/simgate.bash $(COMPLETIONS)/simgate
	install -m 0644 README.md CHANGELOG.md gateway.conf docs/hardware.md $(DOCDIR)
	$(foreach e,$(wildcard docs/examples/*/*),install -D -m 0644 $(e) $(DOCDIR)/$(e:docs/%=%);)
	install -m 0644 include/simgate/handler.h $(HEADERS)
	$(foreach m,$(MANPAGES),install -D -m 0644 $(m) $(call manpage_dir,$(m))/$(notdir $(m));)
	install -d $(PROFILES)
	install -m 0644 hw/profiles/*.conf hw/README.md $(PROFILES)
	install -d $(UDEVRULES)
	install -m 0644 $(RULES) $(UDEVRULES)
	test -e $(CONFDIR)/gateway.conf || install -m 0640 gateway.conf $(CONFDIR)/gateway.conf
ifeq ($(DESTDIR),)
	-systemd-sysusers $(SYSUSERS)/simgate.conf
	-systemd-tmpfiles --create $(TMPFILES)/simgate.conf
	-chgrp -R simgate $(CONFDIR)
	-test ! -d /run/systemd/system || systemctl daemon-reload
	-test ! -S /run/udev/control || { udevadm control --reload && udevadm trigger -s usb -s tty; }
endif

uninstall: ## everything that install put, but gateway.conf and the data
	rm -f $(addprefix $(BINDIR)/,$(notdir $(PROGRAMS))) $(UNITS)/simgated.service $(SYSUSERS)/simgate.conf \
	    $(TMPFILES)/simgate.conf $(COMPLETIONS)/simgate
	rm -f $(foreach m,$(MANPAGES),$(call manpage_dir,$(m))/$(notdir $(m)))
	rm -f $(addprefix $(UDEVRULES)/,$(notdir $(RULES)))
	rm -rf $(DOCDIR) $(PROFILES) $(HEADERS)
	test ! -d $(dir $(PROFILES)) || rmdir --ignore-fail-on-non-empty $(dir $(PROFILES))

clean: ## remove build/
	rm -rf build compile_commands.json
