// SPDX-License-Identifier: GPL-2.0
//
// The indices in a shared ring page are touched by the RING_*() macros, or by READ_ONCE() and WRITE_ONCE().
@once@
expression S, E;
identifier f;
position p;
@@
(
READ_ONCE(S->sring@p->f)
|
WRITE_ONCE(S->sring@p->f, E)
|
READ_ONCE(S.sring@p->f)
|
WRITE_ONCE(S.sring@p->f, E)
)

@plain@
expression S;
identifier f;
position p != once.p;
@@
(
S->sring@p->f
|
S.sring@p->f
)

@script:python@
p << plain.p;
@@
print("%s:%s: a field of the shared ring without READ_ONCE() or WRITE_ONCE()" % (p[0].file, p[0].line))
