/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of byte streams between dom0 and an HVM or PVH guest, through 64 KiB of the guest's
 * memory that its kernel was told to leave alone (memmap=). It needs nothing of what is tested: no
 * hypercall of the guest, no PV driver, no emulated device; and it is fast, which an emulated
 * serial port is not. Both sides poll. The streams live as long as the guest's memory does, through
 * save and restore.
 */
#ifndef TESTS_XEN_MBOX_H
#define TESTS_XEN_MBOX_H

#include <stdint.h>

#define MBOX_MAGIC	0x784f424d	/* written by the guest when its side is ready */
#define MBOX_SIZE	0x10000
#define RING_SIZE	0x4000u
#define TO_GUEST	0
#define TO_DOM0		1

struct mbox {
	volatile uint32_t magic;
	uint8_t pad[60];
	struct {
		volatile uint32_t prod, cons;
		uint8_t pad[56];
	} ring[2];
	uint8_t pad2[4096 - 192];
	volatile uint8_t data[2][RING_SIZE];
};

static inline uint32_t mbox_room(struct mbox *m, int n)
{
	uint32_t used = m->ring[n].prod - m->ring[n].cons;

	return used > RING_SIZE ? 0 : RING_SIZE - used;
}

/* Append what there is room for; returns how much that was. */
static inline uint32_t mbox_put(struct mbox *m, int n, const uint8_t *from, uint32_t len)
{
	uint32_t prod = m->ring[n].prod, room = mbox_room(m, n), i;

	if (len > room)
		len = room;
	for (i = 0; i < len; i++)
		m->data[n][(prod + i) % RING_SIZE] = from[i];
	__sync_synchronize();
	m->ring[n].prod = prod + len;
	return len;
}

static inline uint32_t mbox_get(struct mbox *m, int n, uint8_t *to, uint32_t len)
{
	uint32_t cons = m->ring[n].cons, used = m->ring[n].prod - cons, i;

	if (used > RING_SIZE)
		return 0;
	if (len > used)
		len = used;
	__sync_synchronize();
	for (i = 0; i < len; i++)
		to[i] = m->data[n][(cons + i) % RING_SIZE];
	__sync_synchronize();
	m->ring[n].cons = cons + len;
	return len;
}

#endif
