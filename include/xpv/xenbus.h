/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bus as a driver sees it: devices, drivers, the state machine's actions and the store.
 *
 * A device is the capability: every store access, grant, event channel and ring is made on behalf of a struct
 * xpv_device, which knows its own domain and its peer. The core accounts for each of them and complains about what is
 * left when the device goes.
 *
 * The state machine is the core's. It keeps one ordered work item per device, which reads the
 * peer's state afresh, looks both states up in one table (xenbus/state.c) and calls an action of
 * the driver; watches only queue that work. So no action runs concurrently with another of the same
 * device, states may be skipped or repeated by the peer, and any order of start works. Detach, peer
 * crash, module unload and suspend all end in the same two calls: disconnect(), then remove().
 */
#ifndef XPV_XENBUS_H
#define XPV_XENBUS_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include <linux/mutex.h>
#include <linux/atomic.h>
#include <xen/interface/io/xenbus.h>
#include <xpv/types.h>

struct xpv_domain;
struct xpv_device_core;

/** enum xpv_side - which half of a split driver */
enum xpv_side { XPV_FRONTEND, XPV_BACKEND };

/**
 * struct xpv_device - one half of a split device
 * @dev:         the Linux device, on bus "xpv" (frontends) or "xpv-backend"
 * @domain:      the domain it belongs to, held for the device's lifetime
 * @side:        frontend or backend
 * @type:        device type: "vbd", "vif", "pci"
 * @nodename:    its directory, relative to the domain's home: "device/vbd/51712", "backend/vbd/1/51712"
 * @otherend:    the peer's directory, absolute. Changes only while the domain is suspended: when the store says
 *               otherwise, that is another device and this one has vanished.
 * @otherend_id: the peer's domid, likewise
 * @state:       the state last published in the store. Written by the core alone.
 * @priv:        the driver's
 * @core:        the core's bookkeeping, see xenbus/device.h
 */
struct xpv_device {
	struct device dev;
	struct xpv_domain *domain;
	enum xpv_side side;
	const char *type;
	const char *nodename;
	const char *otherend;
	domid_t otherend_id;
	enum xenbus_state state;
	void *priv;
	struct xpv_device_core *core;
};

#define to_xpv_device(d) container_of(d, struct xpv_device, dev)

/**
 * struct xpv_driver - a frontend or backend driver
 * @name:      the sysfs name
 * @type:      the device type that it drives
 * @side:      which bus
 * @published: the state to announce when publish() has succeeded (%XenbusStateInitialised or
 *             %XenbusStateConnected for a frontend, %XenbusStateInitWait for a backend)
 * @stats:     attribute groups of each device, or NULL
 * @driver:    filled in by the core
 * @node:      the core's
 *
 * All actions are called from the device's ordered work or from the core's removal of the device,
 * one at a time, in process context; they may sleep, and must not wait for the peer. An action that
 * lacks something of the peer or of the toolstack says what by xpv_device_waits() and returns
 * -EAGAIN: it is called again when the peer's state or a node watched by xpv_device_watch()
 * changes. Other errors are fatal to the connection; the action has called xpv_device_fatal() with
 * a text that names what was wrong and left nothing behind.
 *
 * @probe:      a device appeared; allocate @priv. No peer is needed yet. -EAGAIN is not allowed.
 * @publish:    frontend: the backend is there (InitWait or later); make rings, write the keys that tell it where they
 *              are. Backend: write the features, before the frontend is looked at.
 * @connect:    frontend: the backend is Connected, read its keys and go live. Backend: the frontend has published
 *              its rings: map them and go live. The core announces %XenbusStateConnected afterwards.
 * @changed:    the peer touched its state node or a watched node changed while both are Connected. Optional.
 * @closing:    the peer or the toolstack asks for an orderly close: frontend: -EBUSY while the device is in use, with
 *              xpv_device_waits() saying by whom; xpv_device_kick() when it no longer is. Optional; never
 *              called when the peer is gone.
 * @disconnect: stop using the rings and give back everything that publish() and connect() took,
 *              whichever of them ran and however often (idempotent). Bounded: nothing waits for the
 *              peer here. @gone says that no further connection of this device will come, so I/O
 *              that cannot be sent any more fails instead of waiting for it. Otherwise it is kept
 *              for the next connection, also when the domain is suspended; the peer may be another
 *              one then.
 * @remove:     mirror of probe, after disconnect(@gone = true).
 * @uevent:     add variables. Optional.
 */
struct xpv_driver {
	const char *name;
	const char *type;
	enum xpv_side side;
	enum xenbus_state published;
	const struct attribute_group **stats;
	struct device_driver driver;
	struct list_head node;

	int (*probe)(struct xpv_device *dev);
	int (*publish)(struct xpv_device *dev);
	int (*connect)(struct xpv_device *dev);
	void (*changed)(struct xpv_device *dev);
	int (*closing)(struct xpv_device *dev);
	void (*disconnect)(struct xpv_device *dev, bool gone);
	void (*remove)(struct xpv_device *dev);
	int (*uevent)(const struct xpv_device *dev, struct kobj_uevent_env *env);
};

int __xpv_driver_register(struct xpv_driver *drv, struct module *owner, const char *mod_name);

/** xpv_driver_register() - start driving devices. Context: process. Probes existing devices asynchronously. */
#define xpv_driver_register(drv) __xpv_driver_register(drv, THIS_MODULE, KBUILD_MODNAME)

/** xpv_driver_unregister() - mirror; disconnects and removes all devices of the driver, bounded */
void xpv_driver_unregister(struct xpv_driver *drv);

/* MODULE_ALIAS of a driver; modprobe finds it through the device's modalias. */
#define XPV_FRONTEND_ALIAS(type) MODULE_ALIAS("xpv:" type)
#define XPV_BACKEND_ALIAS(type) MODULE_ALIAS("xpv-backend:" type)

/* --- State ---------------------------------------------------------------------------------------------------- */

/** xpv_device_kick() - look at both states again soon. Any context. */
void xpv_device_kick(struct xpv_device *dev);

/** xpv_device_waits() - what the device waits for now: the text of the sysfs attribute `status`. May sleep. */
__printf(2, 3) void xpv_device_waits(struct xpv_device *dev, const char *fmt, ...);

/**
 * xpv_device_error() - something went wrong, the device goes on
 *
 * Writes "<errno> <text>" to the device's error node, keeps it for `status` and logs it at a limited rate.
 * Process context.
 */
__printf(3, 4) void xpv_device_error(struct xpv_device *dev, int err, const char *fmt, ...);

/**
 * xpv_device_fatal() - the connection cannot go on
 *
 * As xpv_device_error(); the core will call disconnect() and announce Closing, then Closed. The
 * device stays on the bus with its `status` until the toolstack takes it away or the peer starts
 * over. Process context; may be called from an action or from the driver's own threads.
 */
__printf(3, 4) void xpv_device_fatal(struct xpv_device *dev, int err, const char *fmt, ...);

/**
 * xpv_device_bad() - the peer broke the protocol
 *
 * As xpv_device_fatal(), for any context: the text is counted, traced and logged at a limited rate
 * at once, the store node is written and the connection ended from the device's work. Returns
 * -EPROTO so that callers can return it.
 */
__printf(2, 3) int xpv_device_bad(struct xpv_device *dev, const char *fmt, ...);

/**
 * xpv_device_watch() - kick the device whenever @key of its own directory changes; lasts until the driver is
 * unbound
 */
int xpv_device_watch(struct xpv_device *dev, const char *key);

/** xpv_device_watch_peer() - the same for a @key of the peer's directory */
int xpv_device_watch_peer(struct xpv_device *dev, const char *key);

/** xpv_device_peer_state() - the peer's state, read now; %XenbusStateUnknown if it has none. May sleep. */
enum xenbus_state xpv_device_peer_state(struct xpv_device *dev);

/* --- Store ---------------------------------------------------------------------------------------------------- */

/**
 * struct xpv_store_tx - a store transaction
 * @id: 0 outside any transaction
 *
 * Use xpv_store_transact(), which retries: a conflict (EAGAIN at the end) is normal.
 */
struct xpv_store_tx {
	u32 id;
};

/**
 * xpv_store_transact() - run @body in a transaction until it commits
 * @dev:  device
 * @body: called with the transaction open; makes store calls with it; an error aborts and is returned. It may be
 *        called several times.
 * @arg:  its argument
 *
 * Retries conflicts with a growing, jittered pause, at most %XPV_STORE_TRIES times (-EAGAIN then). May sleep. A
 * transaction that is open when the domain is suspended is one that conflicts.
 */
int xpv_store_transact(struct xpv_device *dev,
		       int (*body)(struct xpv_device *dev, struct xpv_store_tx *tx, void *arg), void *arg);

#define XPV_STORE_TRIES 100

/*
 * In the calls below @tx may be NULL. @dir selects whose directory @key is relative to: the
 * device's own or its peer's. A reply that does not come within %XPV_STORE_REPLY_MS gives
 * -ETIMEDOUT, a store that is gone -ESHUTDOWN; a device that vanished never writes (-ENODEV). All
 * may sleep.
 */
#define XPV_STORE_REPLY_MS 30000

enum xpv_store_dir { XPV_OWN, XPV_PEER };

/** xpv_store_read() - a node's value as a NUL-terminated string from kmalloc(), or an ERR_PTR (-ENOENT) */
char *xpv_store_read(struct xpv_device *dev, struct xpv_store_tx *tx, enum xpv_store_dir dir, const char *key);

/** xpv_store_exists() - whether a node exists and can be read */
bool xpv_store_exists(struct xpv_device *dev, struct xpv_store_tx *tx, enum xpv_store_dir dir, const char *key);

/**
 * xpv_store_read_u64() - a decimal number, all of the node's text, at most @max
 *
 * Return: 0; -ENOENT without such a node; -EINVAL for text that is no number, -ERANGE beyond @max. @value is only
 * written on success.
 */
int xpv_store_read_u64(struct xpv_device *dev, struct xpv_store_tx *tx, enum xpv_store_dir dir, const char *key,
		       u64 max, u64 *value);

/** xpv_store_printf() - write a node of the device's own directory */
__printf(4, 5) int xpv_store_printf(struct xpv_device *dev, struct xpv_store_tx *tx, const char *key,
				    const char *fmt, ...);

/** xpv_store_rm() - remove a node of the device's own directory; -ENOENT is success */
int xpv_store_rm(struct xpv_device *dev, struct xpv_store_tx *tx, const char *key);

/* --- Identity ------------------------------------------------------------------------------------------------- */

/** xpv_device_domid() - the domid of the device's own domain */
domid_t xpv_device_domid(const struct xpv_device *dev);

static inline void xpv_set_drvdata(struct xpv_device *dev, void *priv)
{
	dev->priv = priv;
}

#endif /* XPV_XENBUS_H */
