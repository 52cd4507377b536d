# SPDX-License-Identifier: GPL-2.0
# What a person types; what kbuild builds is in Kbuild.
#
#   KDIR=DIR       kernel to build for, its build tree or headers; by default the running one's
#   DESTDIR=DIR    what `make install` puts everything below; by default /
#   PREFIX=DIR     where below that the command and headers go; by default /usr/local
#   PARAMS="..."   parameters of mmbox.ko for `make load`, NAME=VALUE with blanks between
#   T=SECONDS      how long `make fuzz` takes; by default 60
#   DEBUG_INFO=1   modules with types for gdb, drgn, bpftrace, perf; they are ten times as large

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr/local
PARAMS	?=
T	?= 60
DEBUG_INFO ?=

MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := all
.PHONY: all modules modules-clean command load unload install uninstall lint test fuzz torture bench demo clean help

all: modules command ## build the modules for KDIR= (the running kernel) and the mmbox command

modules: kdir ## build the modules only
	+$(KBUILD) modules
	$(if $(WITH_DEBUG_INFO),@tools/btf $(KDIR) $$(sed 's/\.o$$/.ko/' modules.order))

command: ## build the mmbox command only
	@tools/need command
	$(MAKE) -C tools/mmbox

load: modules ## insert mmbox.ko into the running kernel: make load PARAMS="size=64M"
	@tools/parameters --check $(PARAMS)
	$(AS_ROOT) insmod mmbox.ko $(PARAMS)

unload: ## remove mmbox.ko from the running kernel
	$(AS_ROOT) rmmod mmbox

install: command ## install mmbox.ko, the command, and headers for other modules and programs
	$(MAKE) modules MMBOX_ONLY=1
	$(AS_ROOT) $(KBUILD) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates modules_install
	$(AS_ROOT) install -m 644 Module.symvers $(modules_dir)/mmbox.symvers
	$(if $(DESTDIR),,$(AS_ROOT) depmod $(release))
	$(AS_ROOT) install -D -m 755 tools/mmbox/mmbox $(DESTDIR)$(PREFIX)/bin/mmbox
	$(foreach header,$(HEADERS),$(AS_ROOT) install -D -m 644 module/include/$(header) \
		$(DESTDIR)$(PREFIX)/include/$(header) &&) :

uninstall: kdir ## remove what make install put there
	$(AS_ROOT) rm -f $(addprefix $(modules_dir)/,mmbox.ko mmbox.ko.gz mmbox.ko.xz mmbox.ko.zst mmbox.symvers)
	$(if $(DESTDIR),,$(AS_ROOT) depmod $(release))
	$(AS_ROOT) rm -f $(DESTDIR)$(PREFIX)/bin/mmbox $(addprefix $(DESTDIR)$(PREFIX)/include/,$(HEADERS))
	for dir in $(sort $(dir $(HEADERS))); do \
		! test -d $(DESTDIR)$(PREFIX)/include/$$dir || $(AS_ROOT) rmdir --ignore-fail-on-non-empty \
			$(DESTDIR)$(PREFIX)/include/$$dir || exit; \
	done

lint: ## check style and hygiene: W=1, sparse, checkpatch, kernel-doc, shellcheck
	@tools/lint

test: ## run every test, in test VMs; ends with "N passed, N failed"
	@tools/test

fuzz: ## fuzz the readers of the mmbox command, and the device, for T= seconds
	@tools/fuzz -t $(T)

torture: ## run the randomised tests for hours, and look for data races, in test VMs
	@tools/torture

bench: ## measure the box beside the host's allocators, in test VMs
	@tools/bench

demo: ## record a workload in a test VM, replay it in a box, show the box
	@tools/demo

modules-clean: kdir
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

clean: ## remove what was built here (not the kernels in the cache)
	$(if $(wildcard $(KDIR)/Makefile),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	$(MAKE) -C tools/mmbox clean
	rm -rf build

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo; echo 'Variables, as in make KDIR=DIR:'
	@sed -n 's/^#   /  /p' Makefile
	@echo; echo 'Parameters of mmbox.ko and their defaults; README.md and modinfo tell what they mean:'
	@tools/parameters --help-text

WITH_DEBUG_INFO := $(filter 1 y yes,$(DEBUG_INFO))

# Whatever the kernel's configuration says; without types there can be no BTF
KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR) KCFLAGS="$(KCFLAGS) $(if $(WITH_DEBUG_INFO),-g,-g0)" \
	$(if $(WITH_DEBUG_INFO),,CONFIG_DEBUG_INFO_BTF_MODULES=)

HEADERS := $(patsubst module/include/%,%,$(wildcard module/include/*/*.h))
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
modules_dir = $(DESTDIR)/lib/modules/$(release)/updates

AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)

.PHONY: kdir
kdir:
	@$(if $(word 2,$(CURDIR)),echo "mmbox: error: kbuild takes no blanks in the path of this tree" >&2; exit 1)
	@test -e $(KDIR)/Makefile || { echo "mmbox: error: no kernel headers in $(KDIR):" \
		"install linux-headers-$$(uname -r), or pass KDIR=DIRECTORY" >&2; exit 1; }
