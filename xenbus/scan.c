// SPDX-License-Identifier: GPL-2.0
/*
 * Finding a domain's devices in the store.
 *
 * Each domain watches `device` and `backend` in its home. An event names a path: if that is in the
 * directory of a device that exists, the device looks after itself (xpv_device_event()); otherwise
 * the directory is noted and this file's work looks whether there is a device in it. The set of
 * noted directories is bounded; when it overflows, when an event is for something above a device,
 * and in the beginning, everything is looked at.
 *
 * A device is made when its directory has a `state` and says whose the other end is. A directory
 * that lacks some of it is still being written. One that is malformed gets an error node and no
 * device. Either is looked at again when it changes.
 *
 * The work never waits for a device: devices that vanished are removed by their own work, which
 * then notes the directory for a successor.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "bus.h"
#include "domain.h"
#include "node.h"

#define SCAN_RETRY_MS	1000

struct changed {
	struct list_head list;
	char nodename[];
};

static const char * const roots[2] = { [XPV_FRONTEND] = "device", [XPV_BACKEND] = "backend" };

/* --- What is to be looked at ------------------------------------------------------------------ */

static struct xpv_device_core *find(struct xpv_bus_domain *bus, const char *nodename, size_t len)
{
	struct xpv_device_core *core;

	lockdep_assert_held(&bus->lock);
	hash_for_each_possible(bus->devices, core, hash, full_name_hash(NULL, nodename, len))
		if (strlen(core->dev.nodename) == len && !memcmp(core->dev.nodename, nodename, len))
			return core;
	return NULL;
}

static void free_list(struct list_head *list)
{
	struct changed *c, *next;

	list_for_each_entry_safe(c, next, list, list)
		kfree(c);
}

static bool noted(struct xpv_bus_domain *bus, const char *nodename, size_t len)
{
	struct changed *c;

	list_for_each_entry(c, &bus->changed, list)
		if (!strncmp(c->nodename, nodename, len) && !c->nodename[len])
			return true;
	return false;
}

static void queue_scan(struct xpv_bus_domain *bus, unsigned int delay_ms)
{
	lockdep_assert_held(&bus->lock);
	if (!bus->dead && !bus->suspended)
		mod_delayed_work(xpv_scan_wq, &bus->scan, msecs_to_jiffies(delay_ms));
}

static void note(struct xpv_bus_domain *bus, const char *nodename, size_t len)
{
	struct changed *c;

	if (bus->dead)
		return;
	if (!bus->all && !noted(bus, nodename, len)) {
		c = bus->nr_changed < XPV_BUS_CHANGED_MAX ? kmalloc(sizeof(*c) + len + 1, GFP_ATOMIC) : NULL;
		if (c) {
			memcpy(c->nodename, nodename, len);
			c->nodename[len] = 0;
			list_add_tail(&c->list, &bus->changed);
			bus->nr_changed++;
		} else {
			bus->all = true;
		}
	}
	queue_scan(bus, 0);
}

/** xpv_bus_note() - have the work look at a directory. Under bus->lock. */
void xpv_bus_note(struct xpv_bus_domain *bus, const char *nodename, size_t len)
{
	lockdep_assert_held(&bus->lock);
	note(bus, nodename, len);
}

static void note_all(struct xpv_bus_domain *bus, unsigned int delay_ms)
{
	spin_lock(&bus->lock);
	bus->all = true;
	queue_scan(bus, delay_ms);
	spin_unlock(&bus->lock);
}

static void bus_event(struct xpv_bus_domain *bus, bool backend, const char *path)
{
	struct xpv_device_core *core;
	const char *key;
	size_t len;

	if (!xpv_node_split(path, backend, &len, &key)) {
		note_all(bus, 0);
		return;
	}
	spin_lock(&bus->lock);
	core = find(bus, path, len);
	if (core)
		xpv_device_event(core, key);
	else
		note(bus, path, len);
	spin_unlock(&bus->lock);
}

static void frontend_event(struct xpv_watch *w, const char *path)
{
	bus_event(container_of(w, struct xpv_bus_domain, watch[XPV_FRONTEND]), false, path);
}

static void backend_event(struct xpv_watch *w, const char *path)
{
	bus_event(container_of(w, struct xpv_bus_domain, watch[XPV_BACKEND]), true, path);
}

/* --- One directory ---------------------------------------------------------------------------- */

static char *read_key(struct xpv_store *st, const char *nodename, const char *key, size_t *len)
{
	char *path = kasprintf(GFP_KERNEL, "%s/%s", nodename, key), *value;

	if (!path)
		return ERR_PTR(-ENOMEM);
	value = xpv_st_read(st, 0, path, len);
	kfree(path);
	return value;
}

/*
 * xpv_identity_read() - whose is the other end of a device
 * @otherend: out, from kmalloc()
 * @why:      out, for -EINVAL: what is wrong
 *
 * Return: 0; -ENOENT if something is missing; -EINVAL; other errors are those of the store.
 */
int xpv_identity_read(struct xpv_store *st, const char *nodename, bool backend, char **otherend, domid_t *id,
		      const char **why)
{
	char *path, *id_text;
	struct xpv_node node;
	size_t id_len;

	*why = "no device has such a name";
	if (xpv_node_parse(nodename, backend, &node))
		return -EINVAL;
	path = read_key(st, nodename, backend ? "frontend" : "backend", NULL);
	if (IS_ERR(path))
		return PTR_ERR(path);
	id_text = read_key(st, nodename, backend ? "frontend-id" : "backend-id", &id_len);
	if (IS_ERR(id_text)) {
		kfree(path);
		return PTR_ERR(id_text);
	}
	*why = xpv_node_otherend(&node, path, id_text, id_len, id);
	kfree(id_text);
	if (*why)
		kfree(path);
	else
		*otherend = path;
	return *why ? -EINVAL : 0;
}

static int check_state(struct xpv_store *st, const char *nodename, const char **why)
{
	char *path = kasprintf(GFP_KERNEL, "%s/state", nodename);
	int err;
	u64 state;

	if (!path)
		return -ENOMEM;
	err = xpv_st_read_u64(st, 0, path, XenbusStateReconfigured, &state);
	kfree(path);
	*why = "state is not a state";
	return err == -ERANGE ? -EINVAL : err;
}

static struct changed *find_rejected(struct xpv_bus_domain *bus, const char *nodename)
{
	struct changed *c;

	list_for_each_entry(c, &bus->rejected, list)
		if (!strcmp(c->nodename, nodename))
			return c;
	return NULL;
}

static void reject(struct xpv_bus_domain *bus, const char *nodename, const char *why)
{
	size_t size = strlen(nodename) + 1;
	struct changed *c;
	char text[80];

	pr_warn_ratelimited("xpv: domain %u: %s is no device: %s\n", bus->dom->domid, nodename, why);
	if (!find_rejected(bus, nodename)) {
		c = kmalloc(sizeof(*c) + size, GFP_KERNEL);
		if (!c)
			return;
		memcpy(c->nodename, nodename, size);
		list_add(&c->list, &bus->rejected);
	}
	snprintf(text, sizeof(text), "%d %s", EINVAL, why);
	xpv_error_write(bus->dom->store, nodename, text);
}

/* What was malformed is a device now, or gone. */
static void forget_rejected(struct xpv_bus_domain *bus, const char *nodename)
{
	struct changed *c = find_rejected(bus, nodename);

	if (!c)
		return;
	list_del(&c->list);
	kfree(c);
	xpv_error_remove(bus->dom->store, nodename);
}

/** xpv_bus_find() - a device by its directory, referenced, or NULL */
struct xpv_device_core *xpv_bus_find(struct xpv_domain *dom, const char *nodename)
{
	struct xpv_bus_domain *bus = dom->bus;
	struct xpv_device_core *core;

	spin_lock(&bus->lock);
	core = find(bus, nodename, strlen(nodename));
	if (core)
		get_device(&core->dev.dev);
	spin_unlock(&bus->lock);
	return core;
}

static bool known(struct xpv_bus_domain *bus, const char *nodename)
{
	struct xpv_device_core *core;

	spin_lock(&bus->lock);
	core = find(bus, nodename, strlen(nodename));
	if (core)
		xpv_device_event(core, "");
	spin_unlock(&bus->lock);
	return core;
}

/* Return: 0, also if there is no device; or an error because of which it is worth while to try again. */
static int scan_one(struct xpv_bus_domain *bus, const char *nodename)
{
	bool backend = nodename[0] == 'b';
	char *otherend = NULL;
	const char *why = "";
	domid_t id;
	int err;

	if (known(bus, nodename))
		return 0;
	/* Without a state it is not meant to be one: toolstacks keep other things there too (device/suspend). */
	err = check_state(bus->dom->store, nodename, &why);
	if (!err)
		err = xpv_identity_read(bus->dom->store, nodename, backend, &otherend, &id, &why);
	if (err == -EINVAL)
		reject(bus, nodename, why);
	else if (!err || err == -ENOENT)
		forget_rejected(bus, nodename);
	if (!err)
		err = xpv_device_create(bus, nodename, backend, otherend, id);
	kfree(otherend);
	return err == -EINVAL || err == -ENOENT || err == -EACCES ? 0 : err;
}

/* --- Everything ------------------------------------------------------------------------------- */

/* Look at the directories @levels below @path. */
static int scan_level(struct xpv_bus_domain *bus, const char *path, unsigned int levels)
{
	struct xpv_st_dir dir;
	const char *name;
	int err, first = 0;

	if (!levels)
		return scan_one(bus, path);
	err = xpv_st_directory(bus->dom->store, 0, path, &dir);
	if (err)
		return err == -ENOENT || err == -EACCES ? 0 : err;
	xpv_st_for_each(name, &dir) {
		char *child = kasprintf(GFP_KERNEL, "%s/%s", path, name);

		err = child ? scan_level(bus, child, levels - 1) : -ENOMEM;
		kfree(child);
		if (err && !first)
			first = err;
		if (xpv_st_is_dead(bus->dom->store))
			break;
	}
	kvfree(dir.buf);
	return first;
}

static int scan_all(struct xpv_bus_domain *bus)
{
	struct xpv_device_core *core;
	int bkt, err, err2;

	spin_lock(&bus->lock);
	hash_for_each(bus->devices, bkt, core, hash)
		xpv_device_event(core, "");
	spin_unlock(&bus->lock);
	err = scan_level(bus, roots[XPV_FRONTEND], 2);
	err2 = scan_level(bus, roots[XPV_BACKEND], 3);
	return err ?: err2;
}

static int scan_noted(struct xpv_bus_domain *bus, struct list_head *list)
{
	struct changed *c, *next;
	int err, first = 0;

	list_for_each_entry_safe(c, next, list, list) {
		err = scan_one(bus, c->nodename);
		if (err && !first)
			first = err;
		list_del(&c->list);
		kfree(c);
	}
	return first;
}

static int watch_roots(struct xpv_bus_domain *bus)
{
	static void (* const fns[2])(struct xpv_watch *w, const char *path) = {
		[XPV_FRONTEND] = frontend_event, [XPV_BACKEND] = backend_event,
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(roots) && !err; i++)
		if (!xpv_watch_active(&bus->watch[i]))
			err = xpv_watch_register(bus->dom->store, &bus->watch[i], roots[i], fns[i]);
	return err;
}

static void scan(struct work_struct *work)
{
	struct xpv_bus_domain *bus = container_of(to_delayed_work(work), struct xpv_bus_domain, scan);
	LIST_HEAD(list);
	bool all;
	int err;

	err = watch_roots(bus);
	spin_lock(&bus->lock);
	list_splice_init(&bus->changed, &list);
	bus->nr_changed = 0;
	all = bus->all;
	bus->all = false;
	spin_unlock(&bus->lock);

	if (!err)
		err = scan_noted(bus, &list);
	if (!err && all)
		err = scan_all(bus);
	free_list(&list);
	if (err)
		note_all(bus, SCAN_RETRY_MS);
}

/* --- Of a domain ------------------------------------------------------------------------------ */

int xpv_bus_domain_init(struct xpv_domain *dom)
{
	struct xpv_bus_domain *bus = kzalloc(sizeof(*bus), GFP_KERNEL);

	if (!bus)
		return -ENOMEM;
	bus->dom = dom;
	spin_lock_init(&bus->lock);
	hash_init(bus->devices);
	INIT_LIST_HEAD(&bus->changed);
	INIT_LIST_HEAD(&bus->rejected);
	init_waitqueue_head(&bus->wait);
	INIT_DELAYED_WORK(&bus->scan, scan);
	dom->bus = bus;
	note_all(bus, 0);
	return 0;
}

/* One that is not suspended yet, referenced, or NULL. */
static struct xpv_device_core *find_running(struct xpv_bus_domain *bus)
{
	struct xpv_device_core *core, *found = NULL;
	unsigned int bkt;

	spin_lock(&bus->lock);
	hash_for_each(bus->devices, bkt, core, hash)
		if (!test_bit(XPV_CORE_SUSPENDED, &core->flags))
			found = core;
	if (found)
		get_device(&found->dev.dev);
	spin_unlock(&bus->lock);
	return found;
}

/* No device comes once the scan has ended. */
void xpv_bus_domain_suspend(struct xpv_domain *dom)
{
	struct xpv_bus_domain *bus = dom->bus;
	struct xpv_device_core *core;

	spin_lock(&bus->lock);
	bus->suspended = true;
	spin_unlock(&bus->lock);
	cancel_delayed_work_sync(&bus->scan);
	while ((core = find_running(bus))) {
		xpv_device_suspend(core);
		put_device(&core->dev.dev);
	}
}

void xpv_bus_domain_resume(struct xpv_domain *dom)
{
	struct xpv_bus_domain *bus = dom->bus;
	struct xpv_device_core *core;
	unsigned int bkt;

	spin_lock(&bus->lock);
	bus->suspended = false;
	hash_for_each(bus->devices, bkt, core, hash)
		xpv_device_resume(core);
	spin_unlock(&bus->lock);
	note_all(bus, 0);
}

static unsigned int vanish_all(struct xpv_bus_domain *bus)
{
	struct xpv_device_core *core;
	unsigned int nr, bkt;

	spin_lock(&bus->lock);
	nr = bus->nr_devices;
	hash_for_each(bus->devices, bkt, core, hash)
		xpv_device_vanish(core);
	spin_unlock(&bus->lock);
	return nr;
}

/* A device whose turn has not come yet, with a reference. From the first call on no driver is bound. */
static struct xpv_device_core *to_withdraw(struct xpv_bus_domain *bus)
{
	struct xpv_device_core *core;
	unsigned int bkt;

	spin_lock(&bus->lock);
	WRITE_ONCE(bus->dom->leaving, true);	/* in here: who makes a device that is not in the hash yet sees it */
	hash_for_each(bus->devices, bkt, core, hash) {
		if (!test_and_set_bit(XPV_CORE_WITHDRAWN, &core->flags)) {
			get_device(&core->dev.dev);
			spin_unlock(&bus->lock);
			return core;
		}
	}
	spin_unlock(&bus->lock);
	return NULL;
}

void xpv_domain_withdraw(struct xpv_domain *dom)
{
	struct xpv_device_core *core;

	while ((core = to_withdraw(dom->bus))) {
		device_release_driver(&core->dev.dev);
		put_device(&core->dev.dev);
	}
}
EXPORT_SYMBOL_GPL(xpv_domain_withdraw);

/*
 * No device is made any more once the scan has ended; those that exist remove themselves, at the
 * same time as each other. The store is down already, so none of it waits for anything but the
 * drivers' disconnect(), which is bounded.
 */
void xpv_bus_domain_exit(struct xpv_domain *dom)
{
	struct xpv_bus_domain *bus = dom->bus;

	spin_lock(&bus->lock);
	bus->dead = true;
	spin_unlock(&bus->lock);
	cancel_delayed_work_sync(&bus->scan);
	xpv_watch_unregister(&bus->watch[XPV_FRONTEND]);
	xpv_watch_unregister(&bus->watch[XPV_BACKEND]);
	wait_event(bus->wait, !vanish_all(bus));
	free_list(&bus->changed);
	free_list(&bus->rejected);
	dom->bus = NULL;
	kfree(bus);
}
