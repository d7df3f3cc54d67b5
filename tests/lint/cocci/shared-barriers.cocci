// SPDX-License-Identifier: GPL-2.0
// only: blkfront blkback netfront netback pcifront pciback xenbus/guest xenbus/ring hv-stub/grant hv-stub/store-ring hv-stub/fifo-queue
//
// These files order accesses to memory that a peer shares: virt_*mb(), never smp_*mb(), which is nothing on a kernel
// for one CPU.
@bad@
position p;
identifier f =~ "^smp_(mb|rmb|wmb|store_mb|mb__(before|after)_atomic)$";
expression list E;
@@
f@p(E)

@script:python@
p << bad.p;
f << bad.f;
@@
print("%s:%s: %s() in a file about shared memory, use virt_*mb()" % (p[0].file, p[0].line, f))
