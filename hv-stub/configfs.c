// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/config/hv-stub/: mkdir makes a domain, rmdir destroys it.
 *
 *	counters		what exists now, over all domains; for leak tests
 *	<name>/domid		number
 *	       state		"running"
 *	       control		"running", "suspended" or "restored"; to write: "suspend", "restore",
 *				"restore new" (with another number), "resume"; see suspend.c
 *	       asked		what the toolstack has asked of it by control/shutdown: "poweroff", ...
 *	       ports		event channels open
 *	       events		how they are delivered: "fifo" or "2l"
 *	       grants		entries of its grant table that grant something
 *	       grant_frames	size of the table
 *	       maps		pages of others (or its own) that it has mapped
 *	       mapped_by_others	mappings of its pages
 *	       nodes, watches, transactions, requests	what it uses of the store
 *	       quota_*		limits there, 0 = none
 *	       max_ports, max_grant_frames	limits of what it can get from now on
 *	       fail_map		"COUNT [STATUS]": the next COUNT maps of its pages fail with GNTST_* STATUS
 *	       first_port	where the search for a free port number begins
 *	       drop_events	COUNT: the next so many events to it get lost
 *
 * Domain-0 is there from the start. configfs holds a reference to the module for every other
 * directory, and sees to it that no attribute is read or written once rmdir has begun.
 */
#include <linux/configfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include "hv.h"

static struct stub_domain *to_domain(struct config_item *item)
{
	return container_of(to_config_group(item), struct stub_domain, group);
}

/* --- attributes to read ----------------------------------------------------------------------- */

#define DOMAIN_SHOW(name, fmt, value)							\
static ssize_t domain_##name##_show(struct config_item *item, char *page)		\
{											\
	struct stub_domain *d = to_domain(item);					\
											\
	return sysfs_emit(page, fmt "\n", value);					\
}

DOMAIN_SHOW(domid, "%u", d->id)
CONFIGFS_ATTR_RO(domain_, domid);

DOMAIN_SHOW(state, "%s", stub_domain_is_dying(d) ? "dying" : "running")
CONFIGFS_ATTR_RO(domain_, state);

DOMAIN_SHOW(ports, "%u", READ_ONCE(d->events.nr))
CONFIGFS_ATTR_RO(domain_, ports);

DOMAIN_SHOW(events, "%s", stub_events_are_fifo(&d->events) ? "fifo" : "2l")
CONFIGFS_ATTR_RO(domain_, events);

DOMAIN_SHOW(grants, "%u", stub_grants_count(d))
CONFIGFS_ATTR_RO(domain_, grants);

DOMAIN_SHOW(grant_frames, "%u", READ_ONCE(d->grants.nr_frames))
CONFIGFS_ATTR_RO(domain_, grant_frames);

DOMAIN_SHOW(maps, "%u", READ_ONCE(d->maptrack.used))
CONFIGFS_ATTR_RO(domain_, maps);

DOMAIN_SHOW(mapped_by_others, "%u", atomic_read(&d->grants.mapped))
CONFIGFS_ATTR_RO(domain_, mapped_by_others);

#define DOMAIN_ATTR_USAGE(name, field)							\
static ssize_t domain_##name##_show(struct config_item *item, char *page)		\
{											\
	struct stub_store_usage u;							\
											\
	stub_store_usage(to_domain(item)->conn, &u);					\
	return sysfs_emit(page, "%u\n", u.field);					\
}											\
CONFIGFS_ATTR_RO(domain_, name)

DOMAIN_ATTR_USAGE(nodes, nodes);
DOMAIN_ATTR_USAGE(watches, watches);
DOMAIN_ATTR_USAGE(transactions, transactions);
DOMAIN_ATTR_USAGE(requests, pending);

/* --- attributes to write ---------------------------------------------------------------------- */

static DEFINE_MUTEX(quota_lock);	/* between reading all quotas and writing them back */

#define DOMAIN_ATTR_QUOTA(name)								\
static ssize_t domain_quota_##name##_show(struct config_item *item, char *page)		\
{											\
	struct stub_store_quota q;							\
											\
	stub_store_get_quota(to_domain(item)->conn, &q);				\
	return sysfs_emit(page, "%u\n", q.name);					\
}											\
											\
static ssize_t domain_quota_##name##_store(struct config_item *item, const char *page,	\
					   size_t len)					\
{											\
	struct stub_conn *conn = to_domain(item)->conn;					\
	struct stub_store_quota q;							\
	unsigned int value;								\
	int err;									\
											\
	err = kstrtouint(page, 0, &value);						\
	if (err)									\
		return err;								\
	mutex_lock(&quota_lock);							\
	stub_store_get_quota(conn, &q);							\
	q.name = value;									\
	stub_store_set_quota(conn, &q);							\
	mutex_unlock(&quota_lock);							\
	return len;									\
}											\
CONFIGFS_ATTR(domain_, quota_##name)

DOMAIN_ATTR_QUOTA(nodes);
DOMAIN_ATTR_QUOTA(watches);
DOMAIN_ATTR_QUOTA(transactions);
DOMAIN_ATTR_QUOTA(node_size);
DOMAIN_ATTR_QUOTA(perms);
DOMAIN_ATTR_QUOTA(path_max);

static int parse_range(const char *page, unsigned int min, unsigned int max, unsigned int *value)
{
	int err = kstrtouint(page, 0, value);

	if (err)
		return err;
	return *value >= min && *value <= max ? 0 : -ERANGE;
}

static ssize_t domain_max_ports_store(struct config_item *item, const char *page, size_t len)
{
	unsigned int value;
	int err = parse_range(page, 1, STUB_MAX_PORTS, &value);

	if (err)
		return err;
	WRITE_ONCE(to_domain(item)->events.max, value);
	return len;
}

DOMAIN_SHOW(max_ports, "%u", READ_ONCE(d->events.max))
CONFIGFS_ATTR(domain_, max_ports);

static ssize_t domain_first_port_store(struct config_item *item, const char *page, size_t len)
{
	unsigned int value;
	int err = parse_range(page, 1, STUB_MAX_PORTS - 1, &value);

	if (err)
		return err;
	WRITE_ONCE(to_domain(item)->events.first, value);
	return len;
}

DOMAIN_SHOW(first_port, "%u", READ_ONCE(d->events.first))
CONFIGFS_ATTR(domain_, first_port);

static ssize_t domain_max_grant_frames_store(struct config_item *item, const char *page, size_t len)
{
	unsigned int value;
	int err = parse_range(page, 1, STUB_MAX_GRANT_FRAMES, &value);

	if (err)
		return err;
	WRITE_ONCE(to_domain(item)->grants.max_frames, value);
	return len;
}

DOMAIN_SHOW(max_grant_frames, "%u", READ_ONCE(d->grants.max_frames))
CONFIGFS_ATTR(domain_, max_grant_frames);

static ssize_t domain_fail_map_store(struct config_item *item, const char *page, size_t len)
{
	struct stub_grants *g = &to_domain(item)->grants;
	int status = GNTST_no_device_space;
	unsigned int count;
	int n = sscanf(page, "%u %d", &count, &status);

	if (n < 1 || count > INT_MAX || status >= GNTST_okay || status < GNTST_no_space)
		return -EINVAL;
	WRITE_ONCE(g->fail_status, status);
	atomic_set(&g->fail_map, count);
	return len;
}

static ssize_t domain_fail_map_show(struct config_item *item, char *page)
{
	struct stub_grants *g = &to_domain(item)->grants;

	return sysfs_emit(page, "%d %d\n", atomic_read(&g->fail_map), READ_ONCE(g->fail_status));
}

CONFIGFS_ATTR(domain_, fail_map);

static ssize_t domain_drop_events_store(struct config_item *item, const char *page, size_t len)
{
	unsigned int value;
	int err = parse_range(page, 0, INT_MAX, &value);

	if (err)
		return err;
	atomic_set(&to_domain(item)->events.drop, value);
	return len;
}

DOMAIN_SHOW(drop_events, "%d", atomic_read(&d->events.drop))
CONFIGFS_ATTR(domain_, drop_events);

static const char *asked_word(int what)
{
	static const char *const words[] = {
		[XPV_SHUTDOWN_POWEROFF] = "poweroff",
		[XPV_SHUTDOWN_REBOOT] = "reboot",
		[XPV_SHUTDOWN_HALT] = "halt",
	};

	return what == STUB_ASKED_NOTHING ? "nothing" : words[what];
}

DOMAIN_SHOW(asked, "%s", asked_word(READ_ONCE(d->asked)))
CONFIGFS_ATTR_RO(domain_, asked);

static const struct control_word {
	const char *word;
	int (*fn)(struct stub_domain *d);
} control_words[] = {
	{ "suspend", stub_domain_suspend },
	{ "restore", stub_domain_restore },
	{ "restore new", stub_domain_restore_new },
	{ "resume", stub_domain_resume },
};

static ssize_t domain_control_store(struct config_item *item, const char *page, size_t len)
{
	unsigned int n;
	int err;

	for (n = 0; n < ARRAY_SIZE(control_words); n++) {
		if (!sysfs_streq(page, control_words[n].word))
			continue;
		err = control_words[n].fn(to_domain(item));
		return err ?: len;
	}
	return -EINVAL;
}

DOMAIN_SHOW(control, "%s", stub_domain_run(d))
CONFIGFS_ATTR(domain_, control);

static struct configfs_attribute *domain_attrs[] = {
	&domain_attr_domid,
	&domain_attr_state,
	&domain_attr_control,
	&domain_attr_asked,
	&domain_attr_ports,
	&domain_attr_events,
	&domain_attr_grants,
	&domain_attr_grant_frames,
	&domain_attr_maps,
	&domain_attr_mapped_by_others,
	&domain_attr_nodes,
	&domain_attr_watches,
	&domain_attr_transactions,
	&domain_attr_requests,
	&domain_attr_quota_nodes,
	&domain_attr_quota_watches,
	&domain_attr_quota_transactions,
	&domain_attr_quota_node_size,
	&domain_attr_quota_perms,
	&domain_attr_quota_path_max,
	&domain_attr_max_ports,
	&domain_attr_first_port,
	&domain_attr_max_grant_frames,
	&domain_attr_fail_map,
	&domain_attr_drop_events,
	NULL,
};

/* --- domains ---------------------------------------------------------------------------------- */

static void domain_item_release(struct config_item *item)
{
	stub_domain_put(to_domain(item));
}

static struct configfs_item_operations domain_item_ops = {
	.release = domain_item_release,
};

static const struct config_item_type domain_type = {
	.ct_item_ops = &domain_item_ops,
	.ct_attrs = domain_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_group *domain_group(struct stub_domain *d)
{
	config_group_init_type_name(&stub_domain_get(d)->group, stub_domain_name(d), &domain_type);
	return &d->group;
}

static struct config_group *root_make_group(struct config_group *root, const char *name)
{
	struct stub_domain *d = stub_domain_create(name);

	return IS_ERR(d) ? ERR_CAST(d) : domain_group(d);
}

static void root_drop_item(struct config_group *root, struct config_item *item)
{
	stub_domain_kill(to_domain(item));
	config_item_put(item);
}

static struct configfs_group_operations root_group_ops = {
	.make_group = root_make_group,
	.drop_item = root_drop_item,
};

/* --- the root --------------------------------------------------------------------------------- */

static ssize_t root_counters_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "domains %d\nzombies %d\nports %d\nmaps %d\npages %d\nfifo_pages %d\n",
			  atomic_read(&stub_counters.domains), atomic_read(&stub_counters.zombies),
			  atomic_read(&stub_counters.ports), atomic_read(&stub_counters.maps),
			  atomic_read(&stub_counters.pages), atomic_read(&stub_counters.fifo_pages));
}

CONFIGFS_ATTR_RO(root_, counters);

static struct configfs_attribute *root_attrs[] = {
	&root_attr_counters,
	NULL,
};

static const struct config_item_type root_type = {
	.ct_group_ops = &root_group_ops,
	.ct_attrs = root_attrs,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "hv-stub",
			.ci_type = &root_type,
		},
	},
};

int stub_configfs_init(void)
{
	int err;

	config_group_init(&subsystem.su_group);
	mutex_init(&subsystem.su_mutex);
	configfs_add_default_group(domain_group(stub_domain_zero()), &subsystem.su_group);
	err = configfs_register_subsystem(&subsystem);
	if (err)
		configfs_remove_default_groups(&subsystem.su_group);
	return err;
}

void stub_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
	configfs_remove_default_groups(&subsystem.su_group);
}
