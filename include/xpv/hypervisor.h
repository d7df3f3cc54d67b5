/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one boundary between xenbus and the hypervisor providers (hv-stub, platform-pci, hv-native).
 *
 * A provider registers each domain whose kernel is this one: one on real Xen, many on the stub. It does so on one
 * of two levels:
 *
 *  - struct xpv_hypercalls: the provider issues hypercalls and shows frames. The guest's side (grant table entries,
 *    event bitmaps, the store ring) is xenbus' own code, the same for the stub and for a real HVM guest: it is
 *    &xpv_guest_ops, an implementation of the level below.
 *  - struct xpv_hv_ops: the provider has grants, events and the store ready-made (hv-native, on the kernel's exported
 *    Xen functions).
 *
 * Drivers never see this file; they use xenbus.h, grant.h, event.h and ring.h.
 */
#ifndef XPV_HYPERVISOR_H
#define XPV_HYPERVISOR_H

#include <linux/interrupt.h>
#include <xen/interface/io/xs_wire.h>
#include <xpv/types.h>

struct attribute_group;
struct kobject;
struct module;
struct page;
struct xpv_domain;

/*
 * MODULE_ALIAS of a provider that finds its domain by itself and fails to load where there is none. The first driver
 * that comes while there is no domain has all of these loaded.
 */
#define XPV_ALIAS_HYPERVISOR	"xpv-hypervisor"

/** enum xpv_frame_space - kinds of hypervisor frames that a domain can have mapped, see xpv_hypercalls.map_frame */
enum xpv_frame_space {
	XPV_FRAME_SHARED_INFO,	/* struct shared_info, index 0 */
	XPV_FRAME_GRANT,	/* grant table frame number index; the table grows to hold it */
	XPV_FRAME_STORE,	/* struct xenstore_domain_interface, index 0 */
};

/* A successful map returns the frame's own page: the guest supplies no host address. */
#define XPV_HC_MAP_RETURNS_FRAME	BIT(0)

/* No virtual CPU. One more is 0, and so never the bound of their numbers. */
#define XPV_VCPU_NONE	(~0U)

/**
 * struct xpv_hypercalls - the hypercall level: what a domain can ask of its hypervisor
 * @owner: the provider's module
 * @name:  the provider's name, for logs
 * @flags: XPV_HC_*
 *
 * @hv is the handle given at xpv_domain_register(). Commands, argument structures, return values (0
 * or a negative errno) and per-operation status codes are those of <xen/interface/grant_table.h>
 * and <.../event_channel.h>; arguments are kernel addresses. All operations stay callable until
 * xpv_domain_unregister() returned, and on a domain that is dying they must still release (unmap,
 * close); what acquires fails there.
 *
 * @grant_table_op:   GNTTABOP_*, @count elements at @ops. May be called with interrupts off; must not sleep.
 *                    With %XPV_HC_MAP_RETURNS_FRAME GNTTABOP_map_grant_ref ignores host_addr and returns the frame's
 *                    address in dev_bus_addr; GNTTABOP_unmap_grant_ref goes by the handle alone.
 * @event_channel_op: EVTCHNOP_*. EVTCHNOP_send, _unmask, _bind_vcpu and _set_priority in any
 *                    context (an irq_chip calls them with interrupts off and its interrupt's lock
 *                    held), the others from process context. EVTCHNOP_init_control, _expand_array
 *                    and _reset may sleep, the others do not.
 *                    FIFO mode: a domain that is registered has to be in 2-level mode, whatever a
 *                    kernel before left behind (reset where in doubt). xpv_guest_ops leaves FIFO
 *                    mode with EVTCHNOP_reset of DOMID_SELF, in its stop, and frees the control
 *                    blocks and event words when that has succeeded. On real Xen a reset closes all
 *                    ports: before it returns, the provider binds those again that are not xenbus'
 *                    (store, console) and writes the HVM parameters that name them; @store_port
 *                    returns the new number.
 * @map_frame:        show frame @idx of @space at *@va, in write-back memory that stays until unmap_frame. May sleep.
 *                    Returns 0, -ENOSPC when a grant table is at its limit, -ENOMEM.
 *                    Grant frames stay mapped while the domain is suspended, and are mapped again in
 *                    xpv_domain_resume(): *@va is the address that the frame had then, and may change; it is NULL
 *                    the first time. Entries are to be as the hypervisor has them: those of a suspend that was
 *                    cancelled are in use still.
 * @unmap_frame:      undo map_frame. May sleep. Grant frames are given back with the last reference
 *                    to the domain: later than xpv_domain_unregister(), just before the callback of
 *                    xpv_domain_on_release().
 * @store_port:       the local port of the domain's store ring; may be another one after a suspend.
 * @vcpu_id:          the hypervisor's number of the virtual CPU that runs as Linux CPU @cpu, which
 *                    need not be online, or %XPV_VCPU_NONE for one that gets no events. The same from
 *                    set_upcall(@dom) to its end, for a CPU that is or has been online.
 * @vcpu_info:        optional: where the hypervisor notes the events of virtual CPU @vcpu, the same until
 *                    set_upcall(NULL) has returned; NULL: it gets none. Without it: in shared_info, which has 32. Any
 *                    context.
 * @page_get:         a page of the guest's address space without memory, where a foreign page can be mapped. Any
 *                    context. NULL: none is free. Not needed with %XPV_HC_MAP_RETURNS_FRAME.
 * @page_put:         nothing is mapped there any more. Any context.
 * @set_upcall:       xpv_guest_ops calls it in its start, before it needs the first event: from now on call
 *                    xpv_domain_upcall(@dom, ...). In its stop with NULL: no upcall is running or will come when it
 *                    returns. Process context, may sleep.
 * @yield:            optional: let other virtual CPUs have the processor, if one waits for it. Returns when the
 *                    hypervisor sees fit. Any context with interrupts on.
 * @xen_version:      optional: XENVER_* of <xen/interface/version.h>, for /sys/hypervisor. An error for %XENVER_version
 *                    means that there is nothing to be shown. May sleep.
 */
struct xpv_hypercalls {
	struct module *owner;
	const char *name;
	unsigned int flags;

	int (*grant_table_op)(void *hv, unsigned int cmd, void *ops, unsigned int count);
	int (*event_channel_op)(void *hv, int cmd, void *arg);
	int (*map_frame)(void *hv, enum xpv_frame_space space, unsigned int idx, void **va);
	void (*unmap_frame)(void *hv, enum xpv_frame_space space, unsigned int idx, void *va);
	evtchn_port_t (*store_port)(void *hv);
	unsigned int (*vcpu_id)(void *hv, unsigned int cpu);
	struct vcpu_info *(*vcpu_info)(void *hv, unsigned int vcpu);
	void (*set_upcall)(void *hv, struct xpv_domain *dom);
	struct page *(*page_get)(void *hv);
	void (*page_put)(void *hv, struct page *page);
	void (*yield)(void *hv);
	int (*xen_version)(void *hv, int cmd, void *arg);
};

/**
 * struct xpv_event_binding - a port with its Linux interrupt
 * @port: local event channel port
 * @irq:  Linux interrupt number
 */
struct xpv_event_binding {
	evtchn_port_t port;
	unsigned int irq;
};

/**
 * struct xpv_event_quality - what the late EOI counted for one binding
 * @events:   interrupts delivered
 * @spurious: of them, those whose handler found no work
 * @delayed:  milliseconds that the unmasking was put off because of them
 */
struct xpv_event_quality {
	u64 events;
	u64 spurious;
	u64 delayed;
};

/**
 * struct xpv_hv_ops - the facility level: grants, events and the store of one domain
 *
 * Unless said otherwise an operation may sleep and returns 0 or a negative errno. Operations of one domain may run
 * concurrently on several CPUs. The core keeps the per-device accounts and the caches of references; the provider
 * need not.
 *
 * @start:        bring the facilities up; afterwards every operation below may be called.
 * @stop:         mirror of @start. Called once, when no device is left; deferred grants may outlive it: see
 *                @grant_revoke and @release.
 * @release:      last reference to the domain gone, nothing is granted any more: free what grant_revoke needed.
 * @suspend:      optional, with @resume: as @stop, but the domain will go on, or @release comes. What is granted and
 *                in use by a peer stays noted.
 * @resume:       as @start, after @suspend, of a domain whose ports, grant table and store ring may be new and empty.
 *                References that were allocated stay so. An error leaves it suspended; it may be tried again.
 *
 * @store_send:   put one xs_wire message on the way to the store; @body holds msg->len bytes. May block while the
 *                ring is full, never longer than %XPV_STORE_SEND_MS (-ETIMEDOUT). Replies and watch events come
 *                back through xpv_store_deliver().
 *
 * @grant_max:    how many references @grant_alloc could ever give, after @start. Any context.
 * @grant_alloc:  take @n free references of this domain's table. Any context. -ENOSPC when there are not enough: none
 *                is taken then.
 * @grant_free:   give references back. Any context.
 * @grant_set:    let domain @to access @page through @ref (flags: XPV_GRANT_*). Any context.
 * @grant_revoke: end access, atomically. Any context, and until @release. -EBUSY while the peer has it mapped; the
 *                entry stays valid then.
 * @grant_end:    optional. End access for good, at once or when the peer lets go, and free @ref, of which the core
 *                knows nothing any more; then put_page(@page), unless that is NULL. Any context. Without it the core
 *                defers.
 * @grant_map:    map pages of domain @from. Returns the number of maps whose status is not GNTST_okay. Any context
 *                but with interrupts on.
 * @grant_unmap:  unmap those of @maps that have status %GNTST_okay and set the status to %GNTST_bad_handle after.
 * @grant_copy:   copy; returns the number of segments whose status is not GNTST_okay.
 *
 * @event_alloc:  a new port that domain @remote may bind to.
 * @event_bind:   a new port connected to @rport of domain @remote.
 * @event_close:  close a port that has no interrupt.
 * @event_irq:    make port b->port a Linux interrupt with late EOI: it stays masked from delivery to @event_eoi. The
 *                caller requests b->irq then.
 * @event_irq_free: mirror of @event_irq, after free_irq(). Leaves the port open.
 * @event_notify: send an event. Any context. A port whose peer is gone is a silent no-op.
 * @event_eoi:    the handler has done its work: unmask. @spurious slows the port down, see event.h. Any context.
 * @event_quality: read the counters. Must not sleep.
 * @event_priority: optional: 0 (first) to 15, 7 unless set. Any context. -EOPNOTSUPP where there are
 *                  none, -EINVAL.
 * @yield:        optional: let other virtual CPUs have the processor, if one waits for it. Any context with interrupts
 *                on.
 *
 * A provider whose kernel has a bus of its own for the same devices has all of the following, others have none. The
 * core makes a device for each directory of the store as ever, but binds a driver only while the provider has it:
 * xpv_domain_device_offer() and _withdraw().
 *
 * @driver_added: a driver of devices of @type came: see that nobody else gets those. Also called for drivers that were
 *                there before the domain. May call xpv_domain_device_offer(). One at a time with @driver_removed.
 * @driver_removed: mirror, after the driver left its devices; and for each driver at the beginning of
 *                xpv_domain_unregister(), while everything works still: may call xpv_domain_device_withdraw().
 * @device_wanted: may a driver be bound to the device of directory @nodename now? If not, @why may be filled in with
 *                who stands in the way. Called under the device's device_lock.
 * @device_bound: a driver was bound; its attributes @groups are in the directory @kobj of sysfs. Under device_lock.
 * @device_unbound: mirror, while the attributes are there.
 */
struct xpv_hv_ops {
	struct module *owner;
	const char *name;

	int (*start)(struct xpv_domain *dom);
	void (*stop)(struct xpv_domain *dom);
	void (*release)(struct xpv_domain *dom);
	void (*suspend)(struct xpv_domain *dom);
	int (*resume)(struct xpv_domain *dom);

	int (*store_send)(struct xpv_domain *dom, const struct xsd_sockmsg *msg, const void *body);

	unsigned int (*grant_max)(struct xpv_domain *dom);
	int (*grant_alloc)(struct xpv_domain *dom, unsigned int n, xpv_gref_t *refs);
	void (*grant_free)(struct xpv_domain *dom, unsigned int n, const xpv_gref_t *refs);
	void (*grant_set)(struct xpv_domain *dom, xpv_gref_t ref, domid_t to, struct page *page, u32 flags);
	int (*grant_revoke)(struct xpv_domain *dom, xpv_gref_t ref);
	void (*grant_end)(struct xpv_domain *dom, xpv_gref_t ref, struct page *page);
	unsigned int (*grant_map)(struct xpv_domain *dom, domid_t from, struct xpv_grant_map *maps, unsigned int n);
	void (*grant_unmap)(struct xpv_domain *dom, struct xpv_grant_map *maps, unsigned int n);
	unsigned int (*grant_copy)(struct xpv_domain *dom, domid_t peer, struct xpv_grant_copy *segs, unsigned int n);

	int (*event_alloc)(struct xpv_domain *dom, domid_t remote, evtchn_port_t *port);
	int (*event_bind)(struct xpv_domain *dom, domid_t remote, evtchn_port_t rport, evtchn_port_t *port);
	void (*event_close)(struct xpv_domain *dom, evtchn_port_t port);
	int (*event_irq)(struct xpv_domain *dom, struct xpv_event_binding *b);
	void (*event_irq_free)(struct xpv_domain *dom, struct xpv_event_binding *b);
	void (*event_notify)(struct xpv_domain *dom, evtchn_port_t port);
	void (*event_eoi)(struct xpv_domain *dom, evtchn_port_t port, bool spurious);
	void (*event_quality)(struct xpv_domain *dom, evtchn_port_t port, struct xpv_event_quality *q);
	int (*event_priority)(struct xpv_domain *dom, evtchn_port_t port, unsigned int priority);
	void (*yield)(struct xpv_domain *dom);

	void (*driver_added)(struct xpv_domain *dom, bool backend, const char *type);
	void (*driver_removed)(struct xpv_domain *dom, bool backend, const char *type);
	bool (*device_wanted)(struct xpv_domain *dom, const char *nodename, char *why, size_t len);
	void (*device_bound)(struct xpv_domain *dom, const char *nodename, struct kobject *kobj,
			     const struct attribute_group **groups);
	void (*device_unbound)(struct xpv_domain *dom, const char *nodename, const struct attribute_group **groups);
};

/* How long a full store ring may hold a sender up. */
#define XPV_STORE_SEND_MS	5000

/* The facility level written over struct xpv_hypercalls, in xenbus/guest-*.c. */
extern const struct xpv_hv_ops xpv_guest_ops;

/** enum xpv_shutdown - what a toolstack may ask of a domain: the words of control/shutdown */
enum xpv_shutdown {
	XPV_SHUTDOWN_POWEROFF,
	XPV_SHUTDOWN_REBOOT,
	XPV_SHUTDOWN_HALT,
	XPV_SHUTDOWN_SUSPEND,
};

/**
 * struct xpv_domain_desc - what a provider says about a domain
 * @ops:        facility level; &xpv_guest_ops with @hypercalls set, or the provider's own
 * @hypercalls: hypercall level, or NULL
 * @hv:         the provider's handle, passed back in hypercalls; xpv_domain_hv() returns it
 * @domid:      the domain's number
 * @toolstack:  this is the domain whose store client /dev/xen/xenbus is
 *              (never so where the kernel has a /dev/xen/xenbus of its own: /dev/xen/xenbus-<domid> is made alone then)
 * @copy_pays:  up to how many pages of a peer's are copied cheaper than mapped and unmapped
 * @ipis_cost:  an interrupt to another CPU is the hypervisor's to deliver: better to stay where an event came
 * @shutdowns:  BIT(XPV_SHUTDOWN_*) that @shutdown obeys; the toolstack is told so. 0: it is not listened to
 * @shutdown:   the toolstack asks, and has been told that it was heard. Process context, one at a time; perhaps before
 *              xpv_domain_register() has returned, not after xpv_domain_unregister() has, which waits for it. May call
 *              xpv_domain_suspend() and _resume()
 */
struct xpv_domain_desc {
	const struct xpv_hv_ops *ops;
	const struct xpv_hypercalls *hypercalls;
	void *hv;
	domid_t domid;
	bool toolstack;
	unsigned int copy_pays;
	bool ipis_cost;
	unsigned int shutdowns;
	void (*shutdown)(struct xpv_domain *dom, enum xpv_shutdown what);
};

/**
 * xpv_domain_register() - a domain appeared whose kernel is this one
 * @desc: copied
 *
 * Starts the domain's facilities, its store client, its /dev/xen/ node and its two buses; devices are probed
 * asynchronously. Context: process, may sleep. The provider holds no lock that a hypercall takes.
 *
 * Return: the domain, or an ERR_PTR: -EEXIST for a domid that is registered, -ENOMEM, errors of ops->start.
 */
struct xpv_domain *xpv_domain_register(const struct xpv_domain_desc *desc);

/**
 * xpv_domain_unregister() - the domain is dying or its provider goes
 * @dom: from xpv_domain_register(), not usable afterwards
 *
 * Removes the domain's devices on both buses (the path is that of a crash: nothing waits for a peer), fails pending
 * store requests, stops the facilities. When it returns no hypercall of the domain runs or will run. Pages still
 * mapped by a peer stay granted: @released of xpv_domain_on_release() is called when the last one is given up.
 * Context: process, may sleep; every wait is bounded.
 */
void xpv_domain_unregister(struct xpv_domain *dom);

/**
 * xpv_domain_suspend() - the domain is going to be suspended: saved, migrated, or just stopped for a while
 *
 * Devices are disconnected, and their I/O waits; the facilities stop. Nothing is announced to the peers: they learn of
 * it from the toolstack, or when the domain is back. Requests to the store wait for xpv_domain_resume(), up to
 * %XPV_STORE_REPLY_MS. When it returns, the domain makes no hypercall and gets no upcall.
 *
 * Context: process, may sleep; every wait is bounded. Not concurrently with itself, with xpv_domain_resume() or with
 * xpv_domain_unregister(), which may come while the domain is suspended.
 *
 * Return: 0; -EBUSY if it is suspended; -EOPNOTSUPP for a provider that cannot.
 */
int xpv_domain_suspend(struct xpv_domain *dom);

/**
 * xpv_domain_resume() - mirror of xpv_domain_suspend()
 * @domid: the domain's number from now on
 *
 * Whether the domain is a new one or the suspend was cancelled makes no difference: everything is set up anew, the ABI
 * of event channels is chosen again, watches are set again (and fire). Each device takes the peer that its directory
 * names now, and connects. A device without a directory is removed.
 *
 * Return: 0; -EBUSY if it is not suspended; -EEXIST if another domain has that number; -ENOMEM, errors of ops->resume:
 * the domain stays suspended.
 */
int xpv_domain_resume(struct xpv_domain *dom, domid_t domid);

/**
 * xpv_domain_on_release() - be told when nothing of a domain is granted any more
 * @dom:      the domain; call this before xpv_domain_unregister()
 * @released: called once from process context, at the earliest within xpv_domain_unregister();
 *            after it the grant frames are not touched any more
 * @hv:       the argument
 */
void xpv_domain_on_release(struct xpv_domain *dom, void (*released)(void *hv), void *hv);

/**
 * xpv_domain_flush_released() - wait until no callback of xpv_domain_on_release() is running
 *
 * For the exit of a provider's module, after the last callback has been seen: it may not have returned yet.
 */
void xpv_domain_flush_released(void);

/**
 * xpv_grant_copy_prepare() - for a provider's grant_copy: what the hypervisor is to be asked
 * @peer: whose grant references
 * @segs: the segments; the status of one that crosses a page is set to GNTST_bad_copy_arg, it is left out
 * @n:    their number
 * @ops:  room for @n; each has the status GNTST_general_error, for a call that fails as a whole
 * @gfn:  the guest frame number behind a kernel address
 *
 * Context: any. Return: the number of @ops.
 */
unsigned int xpv_grant_copy_prepare(domid_t peer, struct xpv_grant_copy *segs, unsigned int n,
				    struct gnttab_copy *ops, unsigned long (*gfn)(const void *local));

/** xpv_grant_copy_finish() - the statuses of @ops into @segs. Return: the number of segments that failed. */
unsigned int xpv_grant_copy_finish(struct xpv_grant_copy *segs, unsigned int n, const struct gnttab_copy *ops);

/**
 * xpv_domain_device_offer() - the provider has a device now: a driver may be bound
 * @nodename: its directory, as struct xpv_device has it; there need be no device (yet)
 *
 * device_wanted() says yes from before. Context: process; does not wait for the driver.
 */
void xpv_domain_device_offer(struct xpv_domain *dom, const char *nodename);

/**
 * xpv_domain_device_withdraw() - mirror; no driver is bound when it returns
 *
 * device_wanted() says no from before. Context: process; takes the device's device_lock, and waits for the driver's
 * disconnect() and remove(), which are bounded.
 */
void xpv_domain_device_withdraw(struct xpv_domain *dom, const char *nodename);

/**
 * xpv_domain_withdraw() - the provider goes, of a domain that stays: take leave of the peers
 * @dom: to be unregistered next
 *
 * Takes the drivers off the domain's devices while the store works still, so that the other ends hear that these are
 * closed, and give up what they have mapped. Without it they would go on: to them nothing has happened.
 * Context: process, may sleep; takes each device's device_lock, and waits for its driver's disconnect() and remove(),
 * which are bounded, one after the other.
 */
void xpv_domain_withdraw(struct xpv_domain *dom);

void *xpv_domain_hv(const struct xpv_domain *dom);
domid_t xpv_domain_id(const struct xpv_domain *dom);

/**
 * xpv_domain_upcall() - events are pending on a virtual CPU
 * @dom:  the domain
 * @vcpu: number of the virtual CPU, as xpv_hypercalls.vcpu_id returns it
 *
 * Scans the bitmaps and runs the interrupt handlers. Context: hard interrupt, interrupts off, on the Linux CPU that
 * is @vcpu. Spurious calls are fine, from set_upcall(@dom) until set_upcall(NULL) returned.
 */
void xpv_domain_upcall(struct xpv_domain *dom, unsigned int vcpu);

/**
 * xpv_store_deliver() - a message came from the store
 * @dom:  the domain
 * @msg:  header, already copied out of shared memory; msg->len is checked against XENSTORE_PAYLOAD_MAX
 * @body: msg->len bytes from kmalloc(), consumed
 *
 * Context: process.
 */
void xpv_store_deliver(struct xpv_domain *dom, const struct xsd_sockmsg *msg, char *body);

#endif /* XPV_HYPERVISOR_H */
