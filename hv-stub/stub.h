/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two halves of the stub know of each other: the hypervisor half (domain.c, configfs.c,
 * grant.c, evtchn.c, frames.c) and the store half (store*.c).
 */
#ifndef STUB_H
#define STUB_H

#include <xpv/hypervisor.h>

struct stub_domain;
struct stub_conn;

/* --- hypervisor half, for the store half ------------------------------------------------------ */

/* stub_domain_id(), stub_domain_name() - constant, but for the number of a domain that is restored as another one */
domid_t stub_domain_id(const struct stub_domain *d);
const char *stub_domain_name(const struct stub_domain *d);

/*
 * stub_domain_store_ring() - the domain's store page, there from before stub_store_attach() until
 * after stub_store_detach()
 */
struct xenstore_domain_interface *stub_domain_store_ring(const struct stub_domain *d);

/**
 * stub_evtchn_alloc_server() - a port of @d whose other end is the stub itself
 * @notify: called when the domain sends an event; any context, must not sleep
 */
int stub_evtchn_alloc_server(struct stub_domain *d, void (*notify)(void *arg), void *arg, evtchn_port_t *port);

/* stub_evtchn_raise() - send an event to a port made by stub_evtchn_alloc_server(). Any context. */
void stub_evtchn_raise(struct stub_domain *d, evtchn_port_t port);

/*
 * stub_evtchn_free_server() - notify() is not running and will not run any more when this returns.
 * Process context.
 */
void stub_evtchn_free_server(struct stub_domain *d, evtchn_port_t port);

/*
 * stub_virq_raise() - raise a global VIRQ in the domain that bound it (VIRQ_DOM_EXC when a domain
 * dies). Any context.
 */
void stub_virq_raise(unsigned int virq);

/* --- store half, for the hypervisor half ------------------------------------------------------ */

int stub_store_init(void);
void stub_store_exit(void);

/**
 * stub_store_conn_alloc() - a domain's connection, not served yet
 * @d: the domain
 *
 * Process context. Return: the connection, which is the argument of stub_store_notify(), or an
 * ERR_PTR. stub_store_detach() frees it.
 */
struct stub_conn *stub_store_conn_alloc(struct stub_domain *d);

/**
 * stub_store_attach() - introduce a domain to the store
 * @conn: its connection
 * @port: the local port of its store ring, from stub_evtchn_alloc_server() with stub_store_notify()
 *        as the callback
 *
 * Makes /local/domain/<domid> with its usual nodes, owned by the domain (see store.c), fires
 * @introduceDomain and serves the ring from then on. Process context. Return: 0 or an errno.
 */
int stub_store_attach(struct stub_conn *conn, evtchn_port_t port);

/** stub_store_notify() - the domain has something to say; any context */
void stub_store_notify(void *conn);

/**
 * stub_store_detach() - the domain is gone: no ring access any more when this returns
 * @conn: its connection
 *
 * Drops its watches and transactions, removes /local/domain/<domid> and fires @releaseDomain. Frees
 * @conn. Process context. Its server port is closed before and stub_store_notify() does not run any
 * more; raising it is a no-op then. Also the mirror of stub_store_conn_alloc(), for a connection
 * whose attach failed or was not tried.
 */
void stub_store_detach(struct stub_conn *conn);

/**
 * stub_store_leave() - the domain is to come back as a new one: as stub_store_detach(), but @conn stays
 * @conn: its connection
 *
 * Its server port is closed before. stub_store_attach() introduces the domain again, under the
 * number that it has then; until then only stub_store_detach() and the calls below may be made.
 * Quotas are kept. Process context.
 */
void stub_store_leave(struct stub_conn *conn);

/* Figures for the domain's configfs attributes and for leak tests; see configfs.c */
struct stub_store_usage {
	unsigned int nodes, watches, transactions, pending;	/* of one domain */
};

void stub_store_usage(struct stub_conn *conn, struct stub_store_usage *u);

/*
 * Quotas of one domain; 0 = unlimited (domain 0). Set before attach, changed at any time through
 * configfs.
 */
struct stub_store_quota {
	unsigned int nodes, watches, transactions, node_size, perms, path_max;
};

void stub_store_set_quota(struct stub_conn *conn, const struct stub_store_quota *q);
void stub_store_get_quota(struct stub_conn *conn, struct stub_store_quota *q);

#endif /* STUB_H */
