/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two buses inside xenbus: devices, their work, and each domain's share of the buses. Each
 * block names the file that owns it; device.c describes lifetimes and locks.
 */
#ifndef XPV_BUS_H
#define XPV_BUS_H

#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/ratelimit.h>
#include <linux/stringhash.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xpv/xenbus.h>
#include "device.h"
#include "store.h"

#define XPV_BUS_HASH_BITS	6
#define XPV_BUS_CHANGED_MAX	128

/* How often and after what pause something that must not be left undone is tried without memory. */
#define XPV_NOMEM_TRIES		20
#define XPV_NOMEM_MS		10

/**
 * struct xpv_bus_domain - a domain's devices on both buses (scan.c)
 * @dom:        domain
 * @lock:       protects what follows; taken by watch callbacks, so nothing sleeps under it
 * @devices:    struct xpv_device_core by nodename
 * @nr_devices: how many
 * @changed:    struct xpv_changed: directories to look at
 * @nr_changed: how many
 * @all:        look at everything instead
 * @dead:       no new devices
 * @suspended:  what is to be looked at is noted only
 * @wait:       woken when a device has gone
 * @scan:       the work that looks
 * @watch:      on "device" and "backend"
 * @rejected:   directories that are no devices because they are malformed; scan's alone
 */
struct xpv_bus_domain {
	struct xpv_domain *dom;
	spinlock_t lock;
	DECLARE_HASHTABLE(devices, XPV_BUS_HASH_BITS);
	unsigned int nr_devices;
	struct list_head changed;
	unsigned int nr_changed;
	bool all;
	bool dead;
	bool suspended;
	wait_queue_head_t wait;
	struct delayed_work scan;
	struct xpv_watch watch[2];
	struct list_head rejected;
};

/* Bits of xpv_device_core.flags. */
enum {
	XPV_CORE_VANISHED,	/* the directory is gone or another device's; nothing is written any more */
	XPV_CORE_ADDED,		/* completely on the bus */
	XPV_CORE_REMOVED,	/* off the bus */
	XPV_CORE_CHECK,		/* see whether it has vanished */
	XPV_CORE_FATAL,		/* break the connection */
	XPV_CORE_BAD,		/* the peer broke the protocol: write that down, then as FATAL */
	XPV_CORE_PROBE_FAILED,	/* try again when something changes */
	XPV_CORE_PROBE_AGAIN,	/* it has */
	XPV_CORE_DENIED,	/* the peer's state may not be read */
	XPV_CORE_TOLD,		/* there is an error node to be removed */
	XPV_CORE_SUSPENDED,	/* the domain is: do nothing */
	XPV_CORE_UNSAID,	/* the driver went meanwhile: the peer is to be told when it is back */
	XPV_CORE_ADOPT,		/* it has been: the other end is what the directory says now */
	XPV_CORE_WITHDRAWN,	/* the domain leaves: its driver has been taken off it */
};

/**
 * struct xpv_device_core - the core's half of a device
 * @dev:        the device as drivers see it
 * @hash:       in bus->devices, under its lock
 * @flags:      XPV_CORE_*
 * @acc:        what it holds
 * @work:       the device's ordered work; holds a reference on @dev while queued
 *
 * @lock:       actions run under it, one at a time. device_lock is taken before it by the driver core.
 * @drv:        the driver, while bound
 * @live:       connect() succeeded
 * @fresh:      a connection is wanted, see XPV_SF_FRESH
 * @fatal:      see XPV_SF_FATAL
 * @probe_at:   jiffies before which a failed probe is not repeated
 * @peer_watch: on the peer's state
 *
 * @peer_events: events of @peer_watch, to notice states that came and went
 * @uevent_lock: protects @uevent_drv, which is @drv for the uevent callback
 *
 * @key_lock:   leaf; protects @keys against the event callbacks
 * @keys:       struct device_key: watched keys
 * @nr_keys:    how many
 *
 * @text_lock:  leaf, any context; protects what follows, and dev.otherend against readers without @lock
 * @peer:       the peer's state as last read
 * @since:      when the pair of states last changed
 * @waits:      what it waits for
 * @error:      last error, "<errno> <text>"
 * @bad:        the first unreported violation
 * @limit:      of the log
 */
struct xpv_device_core {
	struct xpv_device dev;
	struct hlist_node hash;
	unsigned long flags;
	struct xpv_account *acc;
	struct delayed_work work;

	struct mutex lock;
	struct xpv_driver *drv;
	bool live;
	bool fresh;
	bool fatal;
	unsigned long probe_at;
	struct xpv_watch peer_watch;

	atomic_t peer_events;
	struct mutex uevent_lock;
	struct xpv_driver *uevent_drv;

	spinlock_t key_lock;
	struct list_head keys;
	unsigned int nr_keys;

	spinlock_t text_lock;
	enum xenbus_state peer;
	ktime_t since;
	char waits[128];
	char error[192];
	char bad[160];
	struct ratelimit_state limit;
};

#define to_xpv_core(xdev) container_of(xdev, struct xpv_device_core, dev)
#define to_xpv_driver(d) container_of(d, struct xpv_driver, driver)

/* bus.c */
extern struct bus_type xpv_bus_types[2];	/* by enum xpv_side */
extern struct device *xpv_bus_root;
extern struct workqueue_struct *xpv_scan_wq;
extern struct workqueue_struct *xpv_device_wq;
int xpv_bus_init(void);
void xpv_bus_exit(void);

/* claim.c: providers with a bus of their own */
int xpv_claims_init(void);
void xpv_claims_exit(void);
void xpv_claims_driver_add(struct xpv_driver *drv);
void xpv_claims_driver_del(struct xpv_driver *drv);
bool xpv_device_wanted(struct xpv_device_core *core);

/* scan.c */
struct xpv_device_core *xpv_bus_find(struct xpv_domain *dom, const char *nodename);
int xpv_identity_read(struct xpv_store *st, const char *nodename, bool backend, char **otherend, domid_t *id,
		      const char **why);
void xpv_bus_note(struct xpv_bus_domain *bus, const char *nodename, size_t len);

/* device.c: birth, death, the work */
int xpv_device_create(struct xpv_bus_domain *bus, const char *nodename, bool backend,
		      const char *otherend, domid_t id);
void xpv_device_event(struct xpv_device_core *core, const char *key);
void xpv_device_vanish(struct xpv_device_core *core);
int xpv_device_bind(struct xpv_device_core *core, struct xpv_driver *drv);
void xpv_device_unbind(struct xpv_device_core *core);
bool xpv_device_vanished(const struct xpv_device *dev);

/* connect.c: the state machine's actions */
enum xpv_work { XPV_WORK_IDLE, XPV_WORK_AGAIN, XPV_WORK_LATER };
enum xpv_work xpv_device_step(struct xpv_device_core *core);
int xpv_device_announce(struct xpv_device_core *core, enum xenbus_state next, int events);
int xpv_device_check_owner(struct xpv_device *dev, struct xpv_store_tx *tx);
void xpv_device_suspend(struct xpv_device_core *core);
void xpv_device_resume(struct xpv_device_core *core);

/* keys.c: watches of a device */
int xpv_device_watch_state(struct xpv_device_core *core);
void xpv_device_unwatch_peer(struct xpv_device_core *core);
void xpv_device_unwatch(struct xpv_device_core *core);
bool xpv_device_watches(struct xpv_device_core *core, const char *key);

/* report.c: texts and error nodes */
void xpv_device_set_peer(struct xpv_device_core *core, enum xenbus_state peer);
void xpv_device_set_own(struct xpv_device_core *core, enum xenbus_state own);
void xpv_device_report_bad(struct xpv_device_core *core);
void xpv_device_clear_error(struct xpv_device_core *core);
void xpv_device_report_leaks(struct xpv_device_core *core);
void xpv_error_write(struct xpv_store *st, const char *nodename, const char *text);
void xpv_error_remove(struct xpv_store *st, const char *nodename);

/* attrs.c */
extern const struct attribute_group *xpv_device_groups[];

#endif /* XPV_BUS_H */
