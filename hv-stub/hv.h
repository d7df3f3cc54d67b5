/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hypervisor half of the stub: its domains and what the files share. Each block names the file
 * that owns it; what the store half may know is in stub.h.
 */
#ifndef STUB_HV_H
#define STUB_HV_H

#include <linux/configfs.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "fifo-queue.h"
#include "grant-check.h"
#include "stub.h"

/* --- vcpu.c: virtual CPUs --------------------------------------------------------------------- */

#define STUB_MAX_VCPUS		MAX_VIRT_CPUS

/**
 * struct stub_vcpu - virtual CPU n of a domain runs as Linux CPU n
 * @dom:       its domain
 * @id:        n
 * @flags:     STUB_VCPU_*
 * @work:      brings an upcall to this CPU
 * @csd:       brings an upcall to another CPU, owned by who set STUB_VCPU_CSD
 * @virq_port: ports of bound virtual interrupts, 0 = none; a global one is in virtual CPU 0.
 *             Written under the topology lock of evtchn.c, read with READ_ONCE().
 */
struct stub_vcpu {
	struct stub_domain *dom;
	unsigned int id;
	unsigned long flags;
	struct irq_work work;
	struct __call_single_data csd;
	u16 virq_port[NR_VIRQS];
};

#define STUB_VCPU_CSD		0	/* @csd is on its way */

int stub_vcpus_init(struct stub_domain *d);
void stub_vcpus_exit(struct stub_domain *d);

/* An event that just became pending at @port is to be seen by @vcpu. Interrupts off. */
void stub_vcpu_notify(struct stub_domain *d, unsigned int vcpu, evtchn_port_t port);

/* stub_vcpu_tell() - the same when shared memory says already which event. Interrupts off. */
void stub_vcpu_tell(struct stub_domain *d, unsigned int vcpu);

/*
 * stub_vcpus_drain() - no upcall is under way. The caller has seen to it that no event is raised
 * any more. May sleep.
 */
void stub_vcpus_drain(struct stub_domain *d);

void stub_vcpu_set_upcall(void *hv, struct xpv_domain *dom);
unsigned int stub_vcpu_id(void *hv, unsigned int cpu);

/* --- evtchn.c: ports -------------------------------------------------------------------------- */

/* The stub's own. 2-level mode has EVTCHN_2L_NR_CHANNELS, FIFO mode could have EVTCHN_FIFO_NR_CHANNELS. */
#define STUB_MAX_PORTS		16384U
#define STUB_PORTS_PER_CHUNK	64
#define STUB_PORT_CHUNKS	(STUB_MAX_PORTS / STUB_PORTS_PER_CHUNK)

struct stub_port;
struct stub_fifo;

/**
 * struct stub_events - a domain's event channels
 * @shared:  its shared_info page
 * @chunks:  ports, made as they are used and kept until the domain is freed
 * @used:    ports that are not closed
 * @nr:      how many
 * @max:     limit of port numbers, a knob
 * @first:   where the search for a closed port begins, a knob
 * @drop:    the next so many events to this domain get lost, a knob
 * @vcpus:   @nr_vcpus of them
 * @upcall:  whom to call, see xpv_hypercalls.set_upcall
 * @fifo:    NULL in 2-level mode; see evtchn-fifo.c
 * @fifo_mutex: between those who change it
 */
struct stub_events {
	struct shared_info *shared;
	struct stub_port *chunks[STUB_PORT_CHUNKS];
	DECLARE_BITMAP(used, STUB_MAX_PORTS);
	unsigned int nr;
	unsigned int max;
	unsigned int first;
	atomic_t drop;
	unsigned int nr_vcpus;
	struct stub_vcpu *vcpus;
	struct xpv_domain __rcu *upcall;
	struct stub_fifo __rcu *fifo;
	struct mutex fifo_mutex;	/* changes of @fifo */
};

int stub_events_init(struct stub_domain *d);
void stub_events_exit(struct stub_domain *d);

/*
 * stub_events_kill() - the domain is dying: every port is closed and none can be opened, no
 * callback of a server port and no upcall is running or will run. May sleep.
 */
void stub_events_kill(struct stub_domain *d);

/*
 * stub_events_reset() - the domain comes back as a new one: no port is open, 2-level mode, empty
 * shared_info. It is suspended. May sleep.
 */
void stub_events_reset(struct stub_domain *d);

int stub_event_channel_op(void *hv, int cmd, void *arg);

/* stub_evtchn_save_pending() - the domain left 2-level mode: what is pending there will be raised again */
void stub_evtchn_save_pending(struct stub_domain *d);

/* stub_evtchn_raise_saved() - there are words for the ports from @first to before @end now. */
void stub_evtchn_raise_saved(struct stub_domain *d, unsigned int first, unsigned int end);

static inline bool stub_events_are_fifo(const struct stub_events *ev)
{
	return rcu_access_pointer(ev->fifo);
}

/* --- evtchn-fifo.c: FIFO mode ----------------------------------------------------------------- */

/* May sleep. */
int stub_fifo_init_control(struct stub_domain *d, struct evtchn_init_control *op);
int stub_fifo_expand(struct stub_domain *d, const struct evtchn_expand_array *op);

/* stub_fifo_free() - @f, which may be NULL, was the domain's and nobody sees it any more */
void stub_fifo_free(struct stub_domain *d, struct stub_fifo *f);

/* An event for @port, whose events go to @vcpu. Interrupts off. The caller keeps the port open. */
void stub_fifo_raise(struct stub_domain *d, struct stub_fifo *f, evtchn_port_t port,
		     struct stub_fifo_port *fp, unsigned int vcpu);
void stub_fifo_unmask_port(struct stub_domain *d, struct stub_fifo *f, evtchn_port_t port,
			   struct stub_fifo_port *fp, unsigned int vcpu);
void stub_fifo_close(struct stub_fifo *f, evtchn_port_t port, struct stub_fifo_port *fp);

/*
 * stub_fifo_save() - there was an event for which there is no word yet. stub_fifo_take_saved() - was
 * there? Interrupts off.
 */
void stub_fifo_save(struct stub_fifo *f, struct stub_fifo_port *fp);
bool stub_fifo_take_saved(struct stub_fifo *f, struct stub_fifo_port *fp);

/* --- grant.c: the tables, grant-map.c: mapping, grant-copy.c: copying ------------------------- */

#define STUB_MAX_GRANT_FRAMES	128U
#define STUB_GRANTS_PER_FRAME	((unsigned int)(PAGE_SIZE / sizeof(struct grant_entry_v1)))

/**
 * struct stub_grants - what a domain grants
 * @lock:        protects the table's size and @pins; innermost, taken with interrupts off
 * @nr_frames:   size now
 * @max_frames:  limit, a knob
 * @frames:      the table, shared with the domain
 * @pins:        for each frame, the hypervisor's memory of its entries
 * @mapped:      mappings of this domain's pages, its own included
 * @fail_map:    the next so many mappings fail, a knob ...
 * @fail_status: ... with this GNTST_*
 */
struct stub_grants {
	spinlock_t lock;	/* protects @nr_frames, @pins */
	unsigned int nr_frames;
	unsigned int max_frames;
	struct grant_entry_v1 *frames[STUB_MAX_GRANT_FRAMES];
	struct stub_pin *pins[STUB_MAX_GRANT_FRAMES];
	atomic_t mapped;
	atomic_t fail_map;
	int fail_status;
};

int stub_grants_init(struct stub_domain *d);
void stub_grants_exit(struct stub_domain *d);
void stub_grants_reset(struct stub_domain *d);	/* nobody has anything of it mapped */
int stub_grants_grow(struct stub_domain *d, unsigned int nr_frames, gfp_t gfp);
unsigned int stub_grants_count(struct stub_domain *d);
bool stub_frame_ok(unsigned long pfn);

/*
 * stub_grant_pin() - use entry @ref of @owner's table on behalf of domain @by (STUB_USE_*)
 *
 * Return: GNTST_okay, with the frame in @pfn: mirror is stub_grant_unpin(). Else another GNTST_*.
 * Any context.
 */
s16 stub_grant_pin(struct stub_domain *owner, grant_ref_t ref, domid_t by, u32 use, unsigned long *pfn);
void stub_grant_unpin(struct stub_domain *owner, grant_ref_t ref, u32 use);

int stub_grant_table_op(void *hv, unsigned int cmd, void *ops, unsigned int count);

#define STUB_HANDLES_PER_CHUNK	256U
#define STUB_HANDLE_CHUNKS	1024U

/**
 * struct stub_mapping - a handle
 * @owner: whose page it is, a reference is held; NULL: the handle is free
 * @ref:   the entry; of a free handle, the next free one
 * @use:   STUB_USE_*
 */
struct stub_mapping {
	struct stub_domain *owner;
	u32 ref;
	u32 use;
};

/**
 * struct stub_maptrack - what a domain has mapped
 * @lock:      protects the rest; innermost, taken with interrupts off
 * @chunks:    handles, made as they are used and kept until the domain is freed
 * @nr_chunks: how many
 * @free:      first free handle
 * @used:      handles in use
 */
struct stub_maptrack {
	spinlock_t lock;	/* protects the rest */
	struct stub_mapping **chunks;
	unsigned int nr_chunks;
	u32 free;
	unsigned int used;
};

void stub_maptrack_init(struct stub_domain *d);
void stub_maptrack_exit(struct stub_domain *d);
void stub_map(struct stub_domain *d, struct gnttab_map_grant_ref *op);
void stub_unmap(struct stub_domain *d, struct gnttab_unmap_grant_ref *op);

/*
 * stub_unmap_all() - force: nothing of the domain is running any more. Return: how many there were.
 */
unsigned int stub_unmap_all(struct stub_domain *d);

void stub_copy(struct stub_domain *d, struct gnttab_copy *op);

/* --- frames.c: pages that a domain has mapped ------------------------------------------------- */

int stub_frames_init(struct stub_domain *d);
void stub_frames_exit(struct stub_domain *d);
void *stub_page_alloc(gfp_t gfp);
void stub_page_free(void *page);
int stub_map_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void **va);
void stub_unmap_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void *va);

/* --- version.c: which Xen this passes for ----------------------------------------------------- */

int stub_version_init(void);
int stub_xen_version(void *hv, int cmd, void *arg);

/* --- suspend.c -------------------------------------------------------------------------------- */

/**
 * enum stub_run - is a domain running
 * @STUB_RUNNING:   yes
 * @STUB_SUSPENDED: its guest side has let go of everything
 * @STUB_RESTORED:  likewise, and it is a new one to the hypervisor and the store
 */
enum stub_run { STUB_RUNNING, STUB_SUSPENDED, STUB_RESTORED };

/* Process context, may sleep. Return: 0; -EBUSY if it is not the time for it; other errors. */
int stub_domain_suspend(struct stub_domain *d);
int stub_domain_restore(struct stub_domain *d);
int stub_domain_restore_new(struct stub_domain *d);
int stub_domain_resume(struct stub_domain *d);
const char *stub_domain_run(struct stub_domain *d);

#define STUB_ASKED_NOTHING	(-1)

void stub_domain_shutdown(struct xpv_domain *xpv, enum xpv_shutdown what);	/* see struct xpv_domain_desc */

/* --- domain.c --------------------------------------------------------------------------------- */

/**
 * struct stub_domain - see the top of domain.c for its life
 * @ref:        references
 * @id:         number, kept until the object is freed; another one when the domain is restored so
 * @past:       numbers that it had before; kept as well, because xenbus names devices after them
 * @name:       constant
 * @dying:      nothing can be acquired any more
 * @group:      its directory in configfs, which holds a reference of its own (configfs.c)
 * @events:     evtchn.c, vcpu.c
 * @grants:     grant.c
 * @maptrack:   grant-map.c
 * @ring:       the store's page (frames.c)
 * @conn:       the store's half
 * @store_port: local port of the store's ring
 * @xpv:        as xenbus knows it
 * @run:        suspend.c
 * @run_lock:   protects it
 * @asked:      enum xpv_shutdown that the toolstack asked for, or %STUB_ASKED_NOTHING
 * @death:      runs the death
 * @free:       runs the last put
 */
struct stub_domain {
	struct kref ref;
	domid_t id;
	struct xarray past;
	char *name;
	bool dying;
	struct config_group group;
	struct stub_events events;
	struct stub_grants grants;
	struct stub_maptrack maptrack;
	struct xenstore_domain_interface *ring;
	struct stub_conn *conn;
	evtchn_port_t store_port;
	struct xpv_domain *xpv;
	enum stub_run run;
	struct mutex run_lock;	/* protects @run */
	int asked;
	struct work_struct death;
	struct work_struct free;
};

/* What exists now, over all domains. */
struct stub_counters {
	atomic_t domains;	/* alive */
	atomic_t zombies;	/* dying, or dead with pages still mapped by others */
	atomic_t ports;
	atomic_t maps;
	atomic_t pages;		/* shared with the domains */
	atomic_t fifo_pages;	/* the domains' own, in use for FIFO mode */
};

extern struct stub_counters stub_counters;

#define STUB_DOMAIN_NAME_MAX	63

int stub_domains_init(void);
void stub_domains_exit(void);

/*
 * stub_zero_init() - make Domain-0; stub_zero_exit() - end it and wait until no domain is left in
 * memory. May sleep.
 */
int stub_zero_init(void);
void stub_zero_exit(void);

/*
 * stub_domain_create() - a live domain, with a reference for the caller to stub_domain_kill(). May
 * sleep.
 */
struct stub_domain *stub_domain_create(const char *name);

/*
 * stub_domain_kill() - destroy it; returns at once, the rest happens in the background. Consumes
 * the caller's reference.
 */
void stub_domain_kill(struct stub_domain *d);

/* stub_domain_connect() - a connection to the store, introduced. Return: 0 or an errno */
int stub_domain_connect(struct stub_domain *d);

/* stub_domain_renumber() - the domain, which is suspended, gets another number. Return: 0 or an errno */
int stub_domain_renumber(struct stub_domain *d);

struct stub_domain *stub_domain_get(struct stub_domain *d);
void stub_domain_put(struct stub_domain *d);	/* any context */

/* stub_domain_find() - a live domain with a reference, or NULL. Any context. */
struct stub_domain *stub_domain_find(domid_t id);

/*
 * stub_domain_zero() - Domain-0, for as long as the caller is in an RCU read-side section; NULL
 * while there is none
 */
struct stub_domain *stub_domain_zero(void);

static inline bool stub_domain_is_dying(const struct stub_domain *d)
{
	return READ_ONCE(d->dying);
}

/* --- configfs.c ------------------------------------------------------------------------------- */

int stub_configfs_init(void);
void stub_configfs_exit(void);

#endif /* STUB_HV_H */
