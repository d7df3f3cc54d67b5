// SPDX-License-Identifier: GPL-2.0
/*
 * What a device watches: the peer's state, and the keys that its driver asked for.
 *
 * Keys of the device's own directory need no watch in the store: the domain's watch on `device` or
 * `backend` sees them. So a device has one watch and one more for each key of the peer that its
 * driver is interested in.
 */
#include <linux/slab.h>
#include "bus.h"
#include "domain.h"

/* More than any protocol has; a driver that asks for more has a bug. */
#define KEYS_MAX 64

struct device_key {
	struct list_head list;
	struct xpv_device_core *core;
	struct xpv_watch watch;		/* active: a key of the peer's */
	bool peer;
	char key[];
};

static void state_event(struct xpv_watch *w, const char *path)
{
	struct xpv_device_core *core = container_of(w, struct xpv_device_core, peer_watch);

	atomic_inc(&core->peer_events);
	xpv_device_kick(&core->dev);
}

static void key_event(struct xpv_watch *w, const char *path)
{
	struct device_key *k = container_of(w, struct device_key, watch);

	xpv_device_kick(&k->core->dev);
}

static int watch_peer_key(struct xpv_device_core *core, struct xpv_watch *w, const char *key,
			  void (*fn)(struct xpv_watch *w, const char *path))
{
	char *path = kasprintf(GFP_KERNEL, "%s/%s", core->dev.otherend, key);
	int err;

	if (!path)
		return -ENOMEM;
	err = xpv_watch_register(core->dev.domain->store, w, path, fn);
	kfree(path);
	return err;
}

static int watch_again(struct xpv_device_core *core)
{
	struct device_key *k;
	int err = 0;

	list_for_each_entry(k, &core->keys, list)
		if (k->peer && !err && !xpv_watch_active(&k->watch))
			err = watch_peer_key(core, &k->watch, k->key, key_event);
	return err;
}

/*
 * xpv_device_watch_state() - watch the peer's state, if not done yet; and of what the driver watches
 * there what xpv_device_unwatch_peer() has dropped
 */
int xpv_device_watch_state(struct xpv_device_core *core)
{
	int err;

	lockdep_assert_held(&core->lock);
	if (xpv_watch_active(&core->peer_watch))
		return 0;
	err = watch_again(core);
	return err ?: watch_peer_key(core, &core->peer_watch, "state", state_event);
}

/** xpv_device_unwatch_peer() - the other end may be another one from now on */
void xpv_device_unwatch_peer(struct xpv_device_core *core)
{
	struct device_key *k;

	lockdep_assert_held(&core->lock);
	xpv_watch_unregister(&core->peer_watch);
	list_for_each_entry(k, &core->keys, list)
		xpv_watch_unregister(&k->watch);
}

static bool has_key(struct xpv_device_core *core, const char *key, bool peer)
{
	struct device_key *k;

	list_for_each_entry(k, &core->keys, list)
		if (k->peer == peer && !strcmp(k->key, key))
			return true;
	return false;
}

static int watch_key(struct xpv_device *dev, const char *key, bool peer)
{
	struct xpv_device_core *core = dev->core;
	struct device_key *k;
	int err = 0;

	if (has_key(core, key, peer))
		return 0;
	if (core->nr_keys >= KEYS_MAX)
		return -ENOSPC;
	k = kzalloc(sizeof(*k) + strlen(key) + 1, GFP_KERNEL);
	if (!k)
		return -ENOMEM;
	k->core = core;
	k->peer = peer;
	memcpy(k->key, key, strlen(key));
	if (peer)
		err = watch_peer_key(core, &k->watch, key, key_event);
	if (err) {
		kfree(k);
		return err;
	}
	spin_lock(&core->key_lock);
	list_add(&k->list, &core->keys);
	core->nr_keys++;
	spin_unlock(&core->key_lock);
	return 0;
}

int xpv_device_watch(struct xpv_device *dev, const char *key)
{
	return watch_key(dev, key, false);
}
EXPORT_SYMBOL_GPL(xpv_device_watch);

int xpv_device_watch_peer(struct xpv_device *dev, const char *key)
{
	return watch_key(dev, key, true);
}
EXPORT_SYMBOL_GPL(xpv_device_watch_peer);

/** xpv_device_watches() - whether a change of @key, or below it, is of interest. Does not sleep. */
bool xpv_device_watches(struct xpv_device_core *core, const char *key)
{
	struct device_key *k;
	bool found = false;

	spin_lock(&core->key_lock);
	list_for_each_entry(k, &core->keys, list) {
		size_t len = strlen(k->key);

		if (!k->peer && !strncmp(key, k->key, len) && (!key[len] || key[len] == '/'))
			found = true;
	}
	spin_unlock(&core->key_lock);
	return found;
}

/** xpv_device_unwatch() - the driver goes: no watches are left */
void xpv_device_unwatch(struct xpv_device_core *core)
{
	struct device_key *k, *next;
	LIST_HEAD(keys);

	lockdep_assert_held(&core->lock);
	xpv_watch_unregister(&core->peer_watch);
	spin_lock(&core->key_lock);
	list_splice_init(&core->keys, &keys);
	core->nr_keys = 0;
	spin_unlock(&core->key_lock);
	list_for_each_entry_safe(k, next, &keys, list) {
		xpv_watch_unregister(&k->watch);
		kfree(k);
	}
}
