/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of xpvctl share. Everything a user sees on stderr starts with "xpvctl: "; a
 * function that returns an exit code other than CTL_OK has said why.
 */
#ifndef XPVCTL_H
#define XPVCTL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#include "vdev.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define CTL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Exit codes, see the manual page. */
enum ctl_exit {
	CTL_OK,
	CTL_FAILED,
	CTL_USAGE,
	CTL_TIMEOUT,
};

/**
 * struct ctl - one run of the program
 * @verb:    the command, with its texts
 * @argc:    its arguments after the options
 * @timeout: seconds that waiting may take altogether
 * @quiet:   no progress, no chatter
 * @force:   --force
 * @xs:      the store, from store_open()
 */
struct ctl {
	const struct ctl_verb *verb;
	int argc;
	char **argv;
	unsigned int timeout;
	bool quiet;
	bool force;
	struct xs_handle *xs;
};

/**
 * struct ctl_verb - a command
 * @options: the letters of the common options that it takes besides h: q, t, f
 * @store:   it needs the store
 */
struct ctl_verb {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *options;
	int min_args, max_args;
	bool store;
	enum ctl_exit (*run)(struct ctl *ctl);
};

/* main.c */
CTL_PRINTF(1, 2) void say(const char *fmt, ...);
CTL_PRINTF(1, 2) enum ctl_exit failed(const char *fmt, ...);
CTL_PRINTF(2, 3) enum ctl_exit usage(const struct ctl *ctl, const char *fmt, ...);
extern volatile sig_atomic_t interrupted;

/* Bounded copy of a formatted text; false (errno ENAMETOOLONG) when it does not fit. */
CTL_PRINTF(3, 4) bool format(char *buf, size_t len, const char *fmt, ...);

/* --- store.c ----------------------------------------------------------------- */

#define STORE_PATH 512

bool store_open(struct ctl *ctl);

/* A node's text from malloc(), or NULL with errno. The path is a format. */
CTL_PRINTF(3, 4)
char *store_read(struct ctl *ctl, xs_transaction_t t, const char *fmt, ...);

/* A node that is a decimal number, or @missing. */
CTL_PRINTF(3, 4)
long store_number(struct ctl *ctl, long missing, const char *fmt, ...);

bool store_exists(struct ctl *ctl, xs_transaction_t t, const char *path);

/* Write dir/key. */
CTL_PRINTF(5, 6)
bool store_write(struct ctl *ctl, xs_transaction_t t, const char *dir, const char *key,
		 const char *fmt, ...);

/*
 * Remove a node with what is below, and then its parents for as long as they are empty, but none
 * that a domain is born with.
 */
bool store_prune(struct ctl *ctl, xs_transaction_t t, const char *path);

/**
 * store_transact() - run @body in a transaction, again when it conflicted
 * @body: false (with errno) abandons it
 *
 * Return: false with errno.
 */
bool store_transact(struct ctl *ctl, bool (*body)(struct ctl *ctl, xs_transaction_t t, void *arg),
		    void *arg);

/* --- domain.c ---------------------------------------------------------------- */

/* The domid of a domain given as name or number; says what is wrong. */
bool domain_find(struct ctl *ctl, const char *text, unsigned int *domid);

enum ctl_exit domain_create(struct ctl *ctl);
enum ctl_exit domain_destroy(struct ctl *ctl);
enum ctl_exit domain_list(struct ctl *ctl);

/* --- vbd.c: one virtual disk's two directories -------------------------------- */

/* Device and driver of one side, from sysfs. */
struct vbd_side {
	const char *what;		/* "backend" or "frontend" */
	unsigned int domid;
	char dir[STORE_PATH];		/* in the store */
	char error_dir[STORE_PATH];
	char sysfs[128];

	/* read by vbd_look() */
	long state;			/* -1: there is no state node */
	bool device;			/* it is on the bus */
	bool driver;			/* a driver is bound to it */
	char waits[256];		/* what it waits for, in its own words, or empty */
	char error[256];		/* the error node, or empty */
};

struct vbd {
	unsigned int domid;
	struct vdev vdev;
	struct vbd_side be, fe;
};

void vbd_init(struct vbd *vbd, unsigned int domid, const struct vdev *vdev);

/* Read both sides afresh. */
void vbd_look(struct ctl *ctl, struct vbd *vbd);

/* Remove all of its nodes, errors included; no node is no error. */
bool vbd_remove_nodes(struct ctl *ctl, struct vbd *vbd);

const char *vbd_state_name(long state);

/* All virtual disks of a domain: their numbers in an array from malloc(), or NULL and 0. */
uint32_t *vbd_ids(struct ctl *ctl, unsigned int domid, size_t *n);

/* --- wait.c ------------------------------------------------------------------ */

enum verdict { VERDICT_WAIT, VERDICT_DONE, VERDICT_FAILED };

/**
 * wait_for() - look at a disk whenever something changes until @judge has decided or the time is
 * over
 * @seconds: how long at most
 *
 * Return: CTL_OK, CTL_FAILED (the judge said so, or interrupted), CTL_TIMEOUT. Says nothing but
 * progress.
 */
enum ctl_exit wait_for(struct ctl *ctl, struct vbd *vbd,
		       enum verdict (*judge)(const struct vbd *vbd), unsigned int seconds);

/* One line: who waits for what, for the error after wait_for(). */
void wait_explain(const struct vbd *vbd, char *text, size_t len);

/* --- the verbs --------------------------------------------------------------- */

enum ctl_exit block_attach(struct ctl *ctl);
enum ctl_exit block_list(struct ctl *ctl);
enum ctl_exit block_detach(struct ctl *ctl);

/* For destroy: take a disk away without asking anyone. */
bool block_remove(struct ctl *ctl, struct vbd *vbd);

#endif /* XPVCTL_H */
