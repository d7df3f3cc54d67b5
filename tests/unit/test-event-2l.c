// SPDX-License-Identifier: GPL-2.0
/* The scan of 2-level event channels: nothing is lost, nobody is starved, one round is bounded. */
#include <linux/types.h>
#include <xpv/types.h>
#include "ktap.h"

/* The part of xenbus/guest.h that the scan uses. */
#define XPV_GUEST_H
struct guest_events {
	struct shared_info *shared;
};

struct guest_vcpu {
	struct guest_events *events;
	struct vcpu_info *info;
	unsigned int next;
};

struct guest_evtchn_abi {
	const char *name;
	unsigned int nr_ports;
	int (*start)(struct guest_events *e);
	void (*mask)(struct guest_events *e, evtchn_port_t port);
	bool (*unmask)(struct guest_events *e, evtchn_port_t port);
	void (*clear_pending)(struct guest_events *e, evtchn_port_t port);
	void (*set_pending)(struct guest_events *e, evtchn_port_t port);
	bool (*scan)(struct guest_vcpu *v, unsigned int budget);
};

#define sync_set_bit(n, m)	set_bit(n, m)
#define sync_clear_bit(n, m)	clear_bit(n, m)
#define sync_test_bit(n, m)	test_bit(n, m)

bool guest_event_deliver(struct guest_vcpu *v, evtchn_port_t port);
#include "xenbus/guest-2l.c"

static struct shared_info shared;
static struct guest_events events = { .shared = &shared };
static struct guest_vcpu vcpu = { .events = &events, .info = &shared.vcpu_info[1] };
static const struct guest_evtchn_abi *abi = &guest_evtchn_2l;

static evtchn_port_t seen[2 * NR_PORTS];
static unsigned int nr_seen;
static evtchn_port_t masks, foreign;	/* delivery of any port masks @masks; @foreign is another CPU's */
static bool storm;			/* a delivered port is pending again at once */

static void raise(evtchn_port_t port)
{
	if (test_bit(port, shared.evtchn_pending))
		return;
	set_bit(port, shared.evtchn_pending);
	if (!test_bit(port, shared.evtchn_mask))
		set_bit(port / 64, &shared.vcpu_info[1].evtchn_pending_sel);
}

bool guest_event_deliver(struct guest_vcpu *v, evtchn_port_t port)
{
	if (foreign && port == foreign)
		return false;
	seen[nr_seen++] = port;
	abi->clear_pending(v->events, port);
	if (masks)
		abi->mask(v->events, masks);
	if (storm)
		raise(port);
	return true;
}

static void reset(void)
{
	memset(&shared, 0, sizeof(shared));
	vcpu.next = 0;
	nr_seen = 0;
	masks = foreign = 0;
	storm = false;
}

static void starts_masked(void)
{
	unsigned int port;

	reset();
	CHECK_EQ(abi->start(&events), 0);
	for (port = 0; port < NR_PORTS; port++)
		CHECK(test_bit(port, shared.evtchn_mask));
}

static void each_port_once(void)
{
	unsigned int port;

	for (vcpu.next = 0; vcpu.next < NR_PORTS; ) {
		unsigned int next = vcpu.next;

		reset();
		vcpu.next = next;
		for (port = 0; port < NR_PORTS; port++)
			raise(port);
		CHECK(!abi->scan(&vcpu, NR_PORTS));
		CHECK_EQ(nr_seen, NR_PORTS);
		CHECK_EQ(seen[0], next);
		CHECK_EQ(shared.vcpu_info[1].evtchn_pending_sel, 0);
		vcpu.next = next + 61;
	}
}

static void masked_ports_wait(void)
{
	reset();
	set_bit(70, shared.evtchn_mask);
	raise(70);
	raise(71);
	CHECK(!abi->scan(&vcpu, 10));
	CHECK_EQ(nr_seen, 1);
	CHECK_EQ(seen[0], 71);

	CHECK(abi->unmask(&events, 70));
	CHECK(test_bit(70, shared.evtchn_mask));
	abi->clear_pending(&events, 70);
	CHECK(!abi->unmask(&events, 70));
	CHECK(!test_bit(70, shared.evtchn_mask));
}

static void budget_keeps_the_rest(void)
{
	reset();
	raise(3);
	raise(5);
	raise(130);
	raise(4000);
	CHECK(abi->scan(&vcpu, 2));
	CHECK_EQ(nr_seen, 2);
	CHECK_EQ(seen[1], 5);
	CHECK(abi->scan(&vcpu, 1));
	CHECK_EQ(seen[2], 130);
	CHECK(!abi->scan(&vcpu, 5));
	CHECK_EQ(nr_seen, 4);
	CHECK_EQ(seen[3], 4000);
}

/* In one word as between words: a port that storms is served once per round of all. */
static void nobody_starves(void)
{
	unsigned int i, quiet = 0;

	reset();
	storm = true;
	raise(8);
	raise(9);
	raise(10);
	raise(700);
	for (i = 0; i < 40; i++)
		abi->scan(&vcpu, 1);
	CHECK_EQ(nr_seen, 40);
	for (i = 0; i < 40; i++)
		quiet += seen[i] == 700;
	CHECK_EQ(quiet, 10);
}

static void masked_by_a_handler(void)
{
	reset();
	masks = 21;
	raise(20);
	raise(21);
	CHECK(!abi->scan(&vcpu, 10));
	CHECK_EQ(nr_seen, 1);
	CHECK(test_bit(21, shared.evtchn_pending));
}

static void another_cpus_port_is_left(void)
{
	reset();
	foreign = 33;
	raise(33);
	raise(34);
	CHECK(!abi->scan(&vcpu, 1));
	CHECK_EQ(nr_seen, 1);
	CHECK_EQ(seen[0], 34);
	CHECK(test_bit(33, shared.evtchn_pending));
}

int main(void)
{
	return ktap_run((struct ktap_test[]){
		KTAP(starts_masked),
		KTAP(each_port_once),
		KTAP(masked_ports_wait),
		KTAP(budget_keeps_the_rest),
		KTAP(nobody_starves),
		KTAP(masked_by_a_handler),
		KTAP(another_cpus_port_is_left),
		{}
	});
}
