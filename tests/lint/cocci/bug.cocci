// SPDX-License-Identifier: GPL-2.0
//
// Nothing here is worth the machine: no BUG(), no panic().
@bad@
position p;
expression list E;
identifier f =~ "^(BUG|BUG_ON|VM_BUG_ON|panic|nmi_panic|__ubsan_handle|asm_ud2|do_exit|make_task_dead)$";
@@
f@p(E)

@script:python@
p << bad.p;
f << bad.f;
@@
print("%s:%s: %s()" % (p[0].file, p[0].line, f))
