# SPDX-License-Identifier: GPL-2.0
#
# make help lists the targets. Each kernel is built in out/build/<release>/, a tree of links to the sources, so that
# two kernels do not overwrite each other.

KERNELS ?= $(notdir $(patsubst %/build,%,$(wildcard /lib/modules/*/build)))
KDIR_RELEASE = $(shell tests/lib/release $(KDIR))
RELEASES = $(if $(KDIR),$(KDIR_RELEASE),$(KERNELS))

all: modules tools

modules: $(addprefix build-,$(RELEASES))
	$(if $(RELEASES),,$(error no kernel headers installed: make setup, or give KDIR=))

build-%:
	+@tests/lib/build $* $(or $(KDIR),/lib/modules/$*/build) $(MODULES)

tools:
	@$(MAKE) --no-print-directory -C tools

modules_install: $(addprefix install-,$(RELEASES))

# Headers packages have neither the key to sign with nor the System.map without which Kbuild leaves out depmod.
install-%: kdir = $(or $(KDIR),/lib/modules/$*/build)
install-%: build-%
	$(MAKE) -C $(kdir) M=$(CURDIR)/out/build/$* INSTALL_MOD_DIR=extra/xpv \
		$(if $(wildcard $(kdir)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $*

install: modules_install
	@$(MAKE) --no-print-directory -C tools install

clean:
	rm -rf out

setup:
	@tests/setup

debug-kernel: setup
	@tests/vm/debug-kernel

# The packages bring the headers, so what depends on their list runs in a make of its own.
demo: setup
	@$(MAKE) --no-print-directory all
	@tests/demo

check: setup debug-kernel
	@tests/run

lint unit: setup
	@tests/run --suite $@

check-stub: setup debug-kernel
	@tests/run --suite stub

check-install: setup
	@tests/run --suite install

check-xen: setup debug-kernel
	@tests/run --suite xen

# Some minutes with nothing else on the machine.
bench-xen: setup
	@$(MAKE) --no-print-directory all
	@tests/bench-xen

shell: setup
	@$(MAKE) --no-print-directory all
	@tests/vm/run -i -k $(or $(K),6.12) -- tests/lib/shell

shell-xen: setup
	@$(MAKE) --no-print-directory all
	@tests/xen/run -i -k $(or $(K),6.1)

help:
	@echo 'make                   modules for the headers of every installed kernel, and the tools'
	@echo 'make KDIR=/path        modules for that kernel alone; KERNELS="r1 r2": for these of /lib/modules'
	@echo 'make MODULES=x.ko      only some modules, while developing'
	@echo 'make tools             xpvctl, in out/tools'
	@echo 'make modules_install   after make, for the same kernels; INSTALL_MOD_PATH= as usual'
	@echo 'make install           modules_install, xpvctl with its man page, and a hook for initramfs-tools; DESTDIR= PREFIX=/usr/local'
	@echo 'make clean             removes out/'
	@echo
	@echo 'make demo              installs, builds, boots a virtual machine, verifies and measures a disk in it'
	@echo 'make check             lint, unit, check-install, check-stub and check-xen'
	@echo 'make lint              warnings, sparse, checkpatch, shellcheck, Coccinelle, the rules of the tree'
	@echo 'make unit              the pure files in user space, under sanitizers'
	@echo 'make check-install     what make install installs: modprobe, initramfs-tools, a machine with its root on xvda'
	@echo 'make check-stub        every case in virtual machines with 6.1, 6.12 and the debug kernel'
	@echo 'make check-xen         the cases on real Xen, in a virtual machine with 6.1 and 6.12 in dom0'
	@echo 'make bench-xen         a disk of a guest on real Xen: emulated, in-tree and ours; out/bench/'
	@echo 'make shell             a prompt in a virtual machine with everything loaded; K=6.1, 6.12, debug'
	@echo 'make shell-xen         a prompt in dom0 of real Xen, with functions that make guests; K=6.1, 6.12'
	@echo 'make setup             installs the Debian packages that are missing (demo and check do it)'
	@echo 'make debug-kernel      builds the debug kernel into /var/cache/xpv, once (check does it)'
	@echo
	@echo 'tests/run --help       single cases, other kernels'

.PHONY: all modules tools modules_install install clean setup debug-kernel demo check lint unit check-stub check-install check-xen \
	bench-xen shell shell-xen help
