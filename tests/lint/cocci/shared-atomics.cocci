// SPDX-License-Identifier: GPL-2.0
//
// Memory that a peer shares is another machine's as far as ordering goes: sync_*() and virt_*mb() do not vanish on a kernel
// for one CPU, the kernel's own bit operations and smp_*mb() do.
@bit@
position p;
expression N, S;
identifier f =~ "^(test_and_)?(__)?(set|clear|change)_bit(_lock|_unlock)?$";
identifier m =~ "^(evtchn_(pending|mask|pending_sel|upcall_pending|upcall_mask)|event_word|status_frames?)$";
@@
(
f@p(N, S->m)
|
f@p(N, &S->m)
|
f@p(N, (unsigned long *)&S->m)
|
f@p(N, (unsigned long *)S->m)
)

@script:python@
p << bit.p;
f << bit.f;
@@
print("%s:%s: %s() on shared memory, use sync_%s()" % (p[0].file, p[0].line, f, f))
