# SPDX-License-Identifier: GPL-2.0
#
# make                  the modules for every installed kernel's headers (or KDIR=..., or KERNELS="6.1.0-56-amd64 ..."), and the tools
# make MODULES=...      only some modules while developing, e.g. MODULES=xpv-xenbus.ko
#
# Each kernel is built in out/build/<release>/, a tree of links to the sources, so that two kernels do not overwrite each other.

KERNELS ?= $(notdir $(patsubst %/build,%,$(wildcard /lib/modules/*/build)))
SOURCES := xenbus hv-stub blkfront blkback include compat

modules: $(if $(KDIR),build-kdir,$(addprefix build-,$(KERNELS)))

build-%:
	@tests/lib/build $* /lib/modules/$*/build $(MODULES)

build-kdir:
	@tests/lib/build $$(cat $(KDIR)/include/config/kernel.release) $(KDIR) $(MODULES)

clean:
	rm -rf out

.PHONY: modules clean
