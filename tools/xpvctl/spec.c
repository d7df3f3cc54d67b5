// SPDX-License-Identifier: GPL-2.0
/*
 * A specification is a list of parameters between commas. A parameter is key=value, a flag, or
 * positional: it then goes to the first of target, format, vdev and access that has no value yet.
 * "target=" takes the rest of its argument, commas included. Each parameter may be given once; an
 * empty one counts as given and keeps its default.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec.h"

enum { TARGET, FORMAT, VDEV, ACCESS, DEVTYPE, BACKENDTYPE, BACKEND, NR_SLOTS };

struct parser {
	struct disk_spec *spec;
	bool given[NR_SLOTS];
	char *error;
	size_t error_len;
};

__attribute__((format(printf, 2, 3)))
static bool fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->error, p->error_len, fmt, ap);
	va_end(ap);
	return false;
}

static bool one_of(const char *value, const char *a, const char *b)
{
	return !strcmp(value, a) || !strcmp(value, b);
}

static bool set_target(struct parser *p, const char *value)
{
	int n = snprintf(p->spec->target, sizeof(p->spec->target), "%s%s",
			 *value == '/' ? "" : "/dev/", value);

	if (n >= (int)sizeof(p->spec->target))
		return fail(p, "target: path is longer than %d bytes", DISK_TARGET_MAX - 1);
	return true;
}

/* "phy:" and "raw:" in front of a positional target also settle the format. */
static bool set_prefixed_target(struct parser *p, const char *value)
{
	const char *colon = strchr(value, ':');

	if (*value == '/' || !colon)
		return set_target(p, value);
	if (strncmp(value, "phy:", 4) && strncmp(value, "raw:", 4))
		return fail(p, "target: '%.32s' is not supported, only phy: (a block device)",
			    value);
	p->given[FORMAT] = true;
	return set_target(p, colon + 1);
}

static bool set_vdev(struct parser *p, const char *value)
{
	size_t len = strcspn(value, ":");
	char name[32];

	if (value[len] && strcmp(value + len, ":disk"))
		return fail(p, "vdev: '%.32s': only disks are supported", value);
	if (len >= sizeof(name))
		return fail(p, "vdev: '%.32s...' is not a virtual disk, try xvda", value);
	memcpy(name, value, len);
	name[len] = '\0';
	if (!vdev_parse(name, &p->spec->vdev))
		return fail(p, "vdev: '%.32s' is not a virtual disk, try xvda", value);
	return true;
}

static bool set_access(struct parser *p, const char *value)
{
	p->spec->readonly = one_of(value, "r", "ro");
	if (p->spec->readonly || one_of(value, "w", "rw"))
		return true;
	return fail(p, "access: '%.32s' is not a mode, use r, ro, w or rw", value);
}

static bool set_format(struct parser *p, const char *value)
{
	return !strcmp(value, "raw") ||
	       fail(p, "format: '%.32s' is not supported, only raw", value);
}

static bool set_devtype(struct parser *p, const char *value)
{
	return !strcmp(value, "disk") ||
	       fail(p, "devtype: '%.32s' is not supported, only disk", value);
}

static bool set_backendtype(struct parser *p, const char *value)
{
	return !strcmp(value, "phy") ||
	       fail(p, "backendtype: '%.32s' is not supported, only phy", value);
}

static bool set_backend(struct parser *p, const char *value)
{
	return one_of(value, "0", "Domain-0") ||
	       fail(p, "backend: domain '%.32s' is not supported, only Domain-0", value);
}

static const struct {
	const char *key;
	bool (*set)(struct parser *p, const char *value);
} slots[NR_SLOTS] = {
	[TARGET]	= { "target", set_target },
	[FORMAT]	= { "format", set_format },
	[VDEV]		= { "vdev", set_vdev },
	[ACCESS]	= { "access", set_access },
	[DEVTYPE]	= { "devtype", set_devtype },
	[BACKENDTYPE]	= { "backendtype", set_backendtype },
	[BACKEND]	= { "backend", set_backend },
};

static bool set_slot(struct parser *p, int slot, const char *value)
{
	if (p->given[slot])
		return fail(p, "%s is given twice", slots[slot].key);
	p->given[slot] = true;
	return !*value || slots[slot].set(p, value);
}

/* False if the word is no flag. */
static bool set_flag(struct parser *p, const char *word)
{
	if (!strcmp(word, "discard"))
		p->spec->discard = true;
	else if (!strcmp(word, "no-discard"))
		p->spec->discard = false;
	else if (!strcmp(word, "direct-io-safe"))
		p->spec->direct_io_safe = true;
	else
		return false;
	return true;
}

/* Whether the word is where a format would be, but is meant as what follows it. */
static bool skips_format(const struct parser *p, const char *word)
{
	struct vdev v;

	return !p->given[FORMAT] && !p->given[VDEV] && vdev_parse(word, &v);
}

static bool set_positional(struct parser *p, const char *word)
{
	if (set_flag(p, word))
		return true;
	if (!strcmp(word, "cdrom"))
		return set_slot(p, DEVTYPE, word);
	if (!p->given[TARGET]) {
		p->given[TARGET] = true;
		return !*word || set_prefixed_target(p, word);
	}
	if (skips_format(p, word))
		p->given[FORMAT] = true;
	if (!p->given[FORMAT])
		return set_slot(p, FORMAT, word);
	if (!p->given[VDEV])
		return set_slot(p, VDEV, word);
	if (!p->given[ACCESS])
		return set_slot(p, ACCESS, word);
	return fail(p, "'%.32s' is one parameter too many", word);
}

static bool set_keyed(struct parser *p, const char *word, size_t key_len)
{
	int slot;

	for (slot = 0; slot < NR_SLOTS; slot++) {
		if (strlen(slots[slot].key) == key_len && !strncmp(word, slots[slot].key, key_len))
			return set_slot(p, slot, word + key_len + 1);
	}
	return fail(p, "'%.32s': unknown parameter", word);
}

static bool is_key(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (word[i] != '-' && (word[i] < 'a' || word[i] > 'z'))
			return false;
	}
	return len > 0;
}

static bool parse_word(struct parser *p, const char *word)
{
	size_t key_len = strcspn(word, "=");

	if (word[key_len] && is_key(word, key_len))
		return set_keyed(p, word, key_len);
	return set_positional(p, word);
}

static bool parse_argument(struct parser *p, const char *arg)
{
	char word[DISK_TARGET_MAX + 16];
	size_t len;

	for (;; arg += len + 1) {
		arg += strspn(arg, " \t");
		len = strncmp(arg, "target=", 7) ? strcspn(arg, ",") : strlen(arg);
		if (len >= sizeof(word))
			return fail(p, "a parameter is longer than %zu bytes", sizeof(word) - 1);
		memcpy(word, arg, len);
		word[len] = '\0';
		if (!parse_word(p, word))
			return false;
		if (!arg[len])
			return true;
	}
}

bool disk_spec_parse(int argc, char *const argv[], struct disk_spec *spec, char *error, size_t len)
{
	struct parser p = { .spec = spec, .error = error, .error_len = len };
	int i;

	memset(spec, 0, sizeof(*spec));
	spec->discard = true;
	for (i = 0; i < argc; i++) {
		if (!parse_argument(&p, argv[i]))
			return false;
	}
	if (!spec->target[0])
		return fail(&p, "target: no block device is given");
	if (!spec->vdev.name[0])
		return fail(&p, "vdev: no virtual disk is given, e.g. xvda");
	return true;
}
