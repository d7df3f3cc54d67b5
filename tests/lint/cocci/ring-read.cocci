// SPDX-License-Identifier: GPL-2.0
//
// What the peer wrote is copied out of the ring once, by RING_COPY_REQUEST() and RING_COPY_RESPONSE(), and never read in
// place: between two reads the peer may change it. A slot of one's own is filled by one assignment or one memcpy().
@fill@
expression R, I, E, N;
position p;
@@
(
memcpy(RING_GET_REQUEST@p(R, I), E, N)
|
memcpy(RING_GET_RESPONSE@p(R, I), E, N)
|
  *RING_GET_REQUEST@p(R, I) = E
|
  *RING_GET_RESPONSE@p(R, I) = E
)

@take@
expression R, I;
position p != fill.p;
@@
(
RING_GET_REQUEST@p(R, I)
|
RING_GET_RESPONSE@p(R, I)
)

@script:python@
p << take.p;
@@
print("%s:%s: a ring's slot is used in place; copy it with RING_COPY_*(), fill it with one assignment" % (p[0].file, p[0].line))
