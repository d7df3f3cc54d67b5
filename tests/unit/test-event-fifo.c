/* sources: hv-stub/fifo-queue.c */
// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO event channels, both halves: the guest's scan against the stub's queues. Order, priorities,
 * budget, masks, moves to another virtual CPU; links that are wrong; and with all of them at work
 * in threads, no event is lost.
 */
#include <pthread.h>
#include <sched.h>
#include <linux/types.h>
#include <xpv/types.h>
#include "ktap.h"
#include "hv-stub/fifo-queue.h"

/* The part of xenbus/guest.h that the scan uses. */
#define XPV_GUEST_H
struct guest_fifo;
struct guest_events {
	struct guest_fifo *fifo;
};

struct guest_vcpu {
	struct guest_events *events;
	unsigned int nr;
};

bool guest_event_deliver(struct guest_vcpu *v, evtchn_port_t port);
void guest_event_reraise(struct guest_events *e, evtchn_port_t port);
#include "xenbus/guest-fifo.c"

#define NR_PAGES	3U
#define NR_PORTS	(NR_PAGES * GUEST_FIFO_WORDS)
#define NR_VCPUS	2U

static event_word_t words[NR_PORTS] __aligned(4096);
static struct evtchn_fifo_control_block blocks[NR_VCPUS] __aligned(128);

/* the hypervisor's */
static struct stub_fifo_array array;
static struct stub_fifo_vcpu queues[NR_VCPUS];
static struct stub_fifo_port ports[NR_PORTS];
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static int told[NR_VCPUS];

/* the guest's */
static union {
	struct guest_fifo fifo;
	char room[sizeof(struct guest_fifo) + NR_VCPUS * sizeof(struct guest_fifo_vcpu)];
} guest;
static struct guest_events events = { .fifo = &guest.fifo };
static struct guest_vcpu vcpus[NR_VCPUS] = { { &events, 0 }, { &events, 1 } };
static unsigned int owner[NR_PORTS];
static bool held[NR_PORTS];
static pthread_mutex_t port_locks[NR_PORTS];

static evtchn_port_t seen[4 * NR_PORTS];
static unsigned int nr_seen, nr_again;
static bool threads, storm;
static unsigned int sent[NR_PORTS], handled[NR_PORTS];

/* --- the hypervisor --------------------------------------------------------------------------- */

static void hv_link(evtchn_port_t port)
{
	unsigned int vcpu = __atomic_load_n(&owner[port], __ATOMIC_SEQ_CST);
	bool tell;

	pthread_mutex_lock(&queue_lock);
	tell = stub_fifo_link(&array, queues, vcpu, &ports[port], port);
	pthread_mutex_unlock(&queue_lock);
	if (tell)
		__atomic_store_n(&told[vcpu], 1, __ATOMIC_SEQ_CST);
}

static void raise(evtchn_port_t port)
{
	if (stub_fifo_mark(&array, port))
		hv_link(port);
}

static void hv_unmask(evtchn_port_t port)
{
	if (stub_fifo_unmask(&array, port))
		hv_link(port);
}

/* --- what guest-event.c does ------------------------------------------------------------------ */

static void unmask(evtchn_port_t port)
{
	if (guest_fifo_unmask(&events, port))
		hv_unmask(port);
}

bool guest_event_deliver(struct guest_vcpu *v, evtchn_port_t port)
{
	pthread_mutex_lock(&port_locks[port]);
	if (owner[port] != v->nr) {
		pthread_mutex_unlock(&port_locks[port]);
		return false;
	}
	held[port] = true;
	guest_fifo_mask(&events, port);
	guest_fifo_clear_pending(&events, port);
	pthread_mutex_unlock(&port_locks[port]);

	if (threads)
		handled[port] = __atomic_load_n(&sent[port], __ATOMIC_SEQ_CST);
	else
		seen[nr_seen++] = port;
	if (storm)
		raise(port);

	pthread_mutex_lock(&port_locks[port]);
	held[port] = false;
	unmask(port);
	pthread_mutex_unlock(&port_locks[port]);
	return true;
}

void guest_event_reraise(struct guest_events *e, evtchn_port_t port)
{
	pthread_mutex_lock(&port_locks[port]);
	__atomic_add_fetch(&nr_again, 1, __ATOMIC_RELAXED);
	if (!held[port]) {
		guest_fifo_mask(e, port);
		unmask(port);
	}
	pthread_mutex_unlock(&port_locks[port]);
}

static void move(evtchn_port_t port, unsigned int vcpu)
{
	pthread_mutex_lock(&port_locks[port]);
	if (!held[port])
		guest_fifo_mask(&events, port);
	__atomic_store_n(&owner[port], vcpu, __ATOMIC_SEQ_CST);
	if (!held[port])
		unmask(port);
	pthread_mutex_unlock(&port_locks[port]);
}

static void reset(void)
{
	unsigned int n;

	memset(words, 0, sizeof(words));
	memset(blocks, 0, sizeof(blocks));
	memset(queues, 0, sizeof(queues));
	memset(&guest, 0, sizeof(guest));
	memset(told, 0, sizeof(told));
	memset(sent, 0, sizeof(sent));
	memset(handled, 0, sizeof(handled));
	memset(held, 0, sizeof(held));
	nr_seen = nr_again = 0;
	storm = threads = false;
	array.nr_pages = guest.fifo.nr_pages = NR_PAGES;
	for (n = 0; n < NR_PAGES; n++)
		array.pages[n] = guest.fifo.pages[n] = words + n * GUEST_FIFO_WORDS;
	for (n = 0; n < NR_VCPUS; n++)
		queues[n].block = guest.fifo.vcpus[n].block = &blocks[n];
	for (n = 0; n < NR_PORTS; n++) {
		owner[n] = 0;
		ports[n] = (struct stub_fifo_port){ .priority = EVTCHN_FIFO_PRIORITY_DEFAULT };
		pthread_mutex_init(&port_locks[n], NULL);
	}
}

/* --- tests ------------------------------------------------------------------------------------ */

static void first_come_first_served(void)
{
	unsigned int i, round;

	reset();
	for (round = 0; round < 3; round++) {
		nr_seen = told[0] = 0;
		for (i = 1; i < NR_PORTS; i++)
			raise((i * 7) % NR_PORTS);
		raise(7);	/* a second time: no effect */
		CHECK_EQ(told[0], 1);
		CHECK(!guest_fifo_scan(&vcpus[0], NR_PORTS));
		CHECK_EQ(nr_seen, NR_PORTS - 1);
		for (i = 1; i < NR_PORTS; i++)
			CHECK_EQ(seen[i - 1], (i * 7) % NR_PORTS);
		CHECK_EQ(guest.fifo.broken, 0);
	}
	for (i = 0; i < NR_PORTS; i++)
		CHECK_EQ(words[i], 0);
}

static void priorities_are_strict(void)
{
	reset();
	ports[100].priority = 15;
	ports[2000].priority = 0;
	ports[3].priority = 6;
	raise(100);
	raise(5);
	raise(3);
	raise(6);
	raise(2000);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 5);
	CHECK(seen[0] == 2000 && seen[1] == 3 && seen[2] == 5 && seen[3] == 6 && seen[4] == 100);

	/* what comes later and matters more goes before what waits */
	nr_seen = 0;
	raise(5);
	raise(6);
	CHECK(guest_fifo_scan(&vcpus[0], 1));
	raise(3);
	CHECK(!guest_fifo_scan(&vcpus[0], 5));
	CHECK(seen[0] == 5 && seen[1] == 3 && seen[2] == 6);
}

/* Of a port that is the tail of its old queue: that queue must not be appended to by way of it. */
static void another_priority(void)
{
	reset();
	raise(5);
	CHECK(!guest_fifo_scan(&vcpus[0], 5));
	ports[5].priority = 3;
	raise(5);
	raise(6);
	CHECK(!guest_fifo_scan(&vcpus[0], 5));
	CHECK_EQ(nr_seen, 3);
	CHECK(seen[1] == 5 && seen[2] == 6);
	CHECK_EQ(guest.fifo.broken, 0);
}

static void budget_keeps_the_rest(void)
{
	reset();
	raise(3);
	raise(2100);
	raise(5);
	CHECK(guest_fifo_scan(&vcpus[0], 2));
	CHECK_EQ(nr_seen, 2);
	raise(6);
	CHECK(!guest_fifo_scan(&vcpus[0], 2));
	CHECK_EQ(nr_seen, 4);
	CHECK(seen[2] == 5 && seen[3] == 6);
}

static void nobody_starves(void)
{
	unsigned int i, quiet = 0;

	reset();
	storm = true;
	raise(8);
	raise(9);
	raise(10);
	for (i = 0; i < 30; i++)
		CHECK(guest_fifo_scan(&vcpus[0], 1));
	CHECK_EQ(nr_seen, 30);
	for (i = 0; i < 30; i++)
		quiet += seen[i] == 10;
	CHECK_EQ(quiet, 10);
}

static void masked_ports_wait(void)
{
	reset();
	guest_fifo_mask(&events, 70);
	raise(70);
	raise(71);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 1);
	CHECK_EQ(seen[0], 71);

	/* the hypervisor has to link it */
	CHECK(guest_fifo_unmask(&events, 70));
	CHECK(words[70] & MASKED);
	hv_unmask(70);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 2);

	/* masked while it is on the queue: it leaves the queue, and comes back when unmasked */
	raise(70);
	guest_fifo_mask(&events, 70);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 2);
	unmask(70);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 3);

	/* nothing pending: no hypercall */
	guest_fifo_mask(&events, 70);
	CHECK(!guest_fifo_unmask(&events, 70));
	CHECK_EQ(words[70], 0);

	/* retriggered: as if there had been an event */
	guest_fifo_set_pending(&events, 70);
	unmask(70);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 4);
}

static void busy_words_are_not_waited_for(void)
{
	reset();
	words[9] = MASKED | BUSY;
	CHECK(guest_fifo_unmask(&events, 9));
	CHECK_EQ(words[9], MASKED | BUSY);
}

static void moved_ports_follow(void)
{
	reset();
	raise(40);
	raise(41);
	move(40, 1);
	CHECK_EQ(told[1], 0);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK_EQ(nr_seen, 1);
	CHECK_EQ(seen[0], 41);
	CHECK_EQ(told[1], 1);
	CHECK(!guest_fifo_scan(&vcpus[1], 10));
	CHECK_EQ(nr_seen, 2);
	CHECK_EQ(seen[1], 40);
	CHECK_EQ(guest.fifo.broken, 0);
}

static void a_dead_cpus_ports_follow(void)
{
	reset();
	raise(40);
	raise(41);
	raise(42);
	CHECK(guest_fifo_scan(&vcpus[0], 1));
	move(41, 1);
	move(42, 1);
	guest_fifo_drain(&vcpus[0]);
	CHECK(!guest_fifo_scan(&vcpus[0], 10));
	CHECK(!guest_fifo_scan(&vcpus[1], 10));
	CHECK_EQ(nr_seen, 3);

	/* a port that could not be moved does not keep it there for ever */
	raise(50);
	guest_fifo_drain(&vcpus[0]);
	CHECK(nr_again <= NR_PORTS + 2);
}

static void no_control_block(void)
{
	reset();
	guest.fifo.vcpus[1].block = NULL;
	queues[1].block = NULL;
	owner[12] = 1;
	raise(12);
	CHECK_EQ(words[12], PENDING);
	CHECK(!guest_fifo_scan(&vcpus[1], 10));
	guest_fifo_drain(&vcpus[1]);
}

/* What a hypervisor should never do. Each ends, is counted, and leaves the other queues alone. */
static void wrong_links(void)
{
	static const struct {
		evtchn_port_t head, port;
		event_word_t word;
		unsigned int steps;
	} bad[] = {
		{ 0 },						/* ready, and nothing there */
		{ .head = NR_PORTS },				/* out of bounds */
		{ .head = ~0U },
		{ .head = 11 },					/* not linked */
		{ .head = 11, .port = 11, .word = LINKED | 11, .steps = 1 },	/* a circle */
		{ .head = 11, .port = 11, .word = LINKED | LINK, .steps = 1 },
		{ .head = 11, .port = 11, .word = LINKED | NR_PORTS, .steps = 1 },
		{ .head = 11, .port = 11, .word = LINKED | 12, .steps = 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		reset();
		words[bad[i].port] = bad[i].word ? bad[i].word | PENDING : 0;
		blocks[0].head[7] = bad[i].head;
		blocks[0].ready = BIT(7) | BIT(20);
		ports[80].priority = 9;
		raise(80);
		CHECK(!guest_fifo_scan(&vcpus[0], 20));
		CHECK_EQ(nr_seen, bad[i].steps + 1);
		CHECK_EQ(seen[bad[i].steps], 80);
		CHECK_EQ(guest.fifo.broken, 1);
		CHECK_EQ(guest.fifo.vcpus[0].ready, 0);
	}

	/* a long circle costs a step a port */
	reset();
	for (i = 1; i < NR_PORTS; i++)
		words[i] = LINKED | (i + 1 < NR_PORTS ? i + 1 : 1);
	blocks[0].head[7] = 1;
	blocks[0].ready = BIT(7);
	for (i = 0; guest_fifo_scan(&vcpus[0], 64); i++)
		CHECK(i < NR_PORTS / 64);
	CHECK_EQ(nr_seen, 0);
	CHECK_EQ(guest.fifo.broken, 1);
}

/* What a domain can do to its own words: the stub stays within bounds, and other ports go on. */
static void hostile_domain(void)
{
	unsigned int i;

	reset();
	for (i = 0; i < NR_PORTS; i++)
		words[i] = LINKED | LINK;
	for (i = 1; i < NR_PORTS; i++)
		raise(i);
	memset(words, 0, sizeof(words));
	for (i = 1; i < NR_PORTS; i++) {
		raise(i);
		words[i] = i % 3 ? ~0U : 0;
	}
	CHECK(!stub_fifo_has(&array, NR_PORTS));
	CHECK(!stub_fifo_has(&array, ~0U));
}

/* --- all at once ------------------------------------------------------------------------------ */

#define NR_BUSY		40U	/* ports, over two pages and all queues */
#define NR_SENDS	60000U

static bool stop;

static evtchn_port_t busy_port(unsigned int n)
{
	return 1000 + n;
}

static void *sender(void *arg)
{
	unsigned int seed = (uintptr_t)arg, i;
	evtchn_port_t port;

	for (i = 0; i < NR_SENDS; i++) {
		port = busy_port(rand_r(&seed) % NR_BUSY);
		__atomic_add_fetch(&sent[port], 1, __ATOMIC_SEQ_CST);
		raise(port);
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static void *mover(void *arg)
{
	unsigned int seed = 99;
	evtchn_port_t port;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		port = busy_port(rand_r(&seed) % NR_BUSY);
		move(port, rand_r(&seed) % NR_VCPUS);
		WRITE_ONCE(ports[port].priority, rand_r(&seed) % 16);
		sched_yield();
	}
	return NULL;
}

static void *cpu(void *arg)
{
	struct guest_vcpu *v = arg;
	bool last = false;

	while (!last) {
		last = __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
		while (__atomic_exchange_n(&told[v->nr], 0, __ATOMIC_SEQ_CST)) {
			while (guest_fifo_scan(v, 16))
				;
		}
		sched_yield();
	}
	return NULL;
}

static void nothing_is_lost(void)
{
	pthread_t t[5];
	unsigned int i;

	reset();
	threads = true;
	stop = false;
	pthread_create(&t[0], NULL, sender, (void *)1);
	pthread_create(&t[1], NULL, sender, (void *)2);
	pthread_create(&t[2], NULL, mover, NULL);
	pthread_create(&t[3], NULL, cpu, &vcpus[0]);
	pthread_create(&t[4], NULL, cpu, &vcpus[1]);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	for (i = 2; i < 5; i++)
		pthread_join(t[i], NULL);

	/* what was told last: of the two, one may tell the other */
	for (i = 0; i < 8; i++)
		cpu(&vcpus[i % 2]);
	for (i = 0; i < NR_BUSY; i++) {
		CHECK_EQ(handled[busy_port(i)], sent[busy_port(i)]);
		CHECK_EQ(words[busy_port(i)], 0);
	}
	CHECK_EQ(guest.fifo.broken, 0);
	CHECK(nr_again > 0);
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(first_come_first_served),
		KTAP(priorities_are_strict),
		KTAP(another_priority),
		KTAP(budget_keeps_the_rest),
		KTAP(nobody_starves),
		KTAP(masked_ports_wait),
		KTAP(busy_words_are_not_waited_for),
		KTAP(moved_ports_follow),
		KTAP(a_dead_cpus_ports_follow),
		KTAP(no_control_block),
		KTAP(wrong_links),
		KTAP(hostile_domain),
		KTAP(nothing_is_lost),
		{}
	});
}
