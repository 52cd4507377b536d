# SPDX-License-Identifier: GPL-2.0
# What a person types; what kbuild builds is in Kbuild.
#
#   KDIR=      kernel to build for: its build tree or headers
#   DESTDIR=   where `make install` puts everything under, / by default
#   PREFIX=    where below it the command goes
#   T=         seconds for `make fuzz`
#   PARAMS=    module parameters for `make load`

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr/local
PARAMS	?=
T	?= 60

MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := all
.PHONY: all modules modules-clean command load unload install lint test fuzz torture bench demo clean help

all: modules command ## build the modules for KDIR= (the running kernel) and the mmbox command

modules: kdir ## build the modules only
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

command: ## build the mmbox command only
	@tools/need command
	$(MAKE) -C tools/mmbox

load: modules ## insert mmbox.ko into the running kernel: make load PARAMS="size=64M"
	$(AS_ROOT) insmod mmbox.ko $(PARAMS)

unload: ## remove mmbox.ko from the running kernel
	$(AS_ROOT) rmmod mmbox

install: all ## install modules and command (DESTDIR=, PREFIX=)
	$(AS_ROOT) $(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) modules_install
	$(AS_ROOT) install -D -m 755 tools/mmbox/mmbox $(DESTDIR)$(PREFIX)/bin/mmbox

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

AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)

.PHONY: kdir
kdir:
	@$(if $(word 2,$(CURDIR)),echo "mmbox: error: kbuild takes no blanks in the path of this tree" >&2; exit 1)
	@test -e $(KDIR)/Makefile || { echo "mmbox: error: no kernel headers in $(KDIR):" \
		"install linux-headers-$$(uname -r), or pass KDIR=DIRECTORY" >&2; exit 1; }
