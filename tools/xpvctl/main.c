// SPDX-License-Identifier: GPL-2.0
/* xpvctl: the verbs of xl for the suite's own domains. This file: the command line. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xpvctl.h"

#define DEFAULT_TIMEOUT	10
#define MAX_TIMEOUT	3600
#define STORE_GRACE 30 /* seconds beyond the timeout after which the store counts as dead */

static const struct ctl_verb verbs[] = {
	{ "create", "<name>", "make a domain, print its number", "q", 1, 1, false, domain_create },
	{ "destroy", "<dom>", "take away its devices, then the domain", "qt", 1, 1, true,
	  domain_destroy },
	{ "list", "[<dom>]", "domains, their state and what they hold", "", 0, 1, true,
	  domain_list },
	{ "block-attach", "<dom> <disk-spec> [<vdev> [<mode>]]", "give a block device to a domain",
	  "qt", 2, 8, true, block_attach },
	{ "block-list", "<dom>...", "disks of domains", "", 1, 1024, true, block_list },
	{ "block-detach", "<dom> <vdev>", "take a disk away from a domain", "qtf", 2, 2, true,
	  block_detach },
};

volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* The library waits for a reply without end; this is the end. */
static void on_alarm(int sig)
{
	static const char text[] = "xpvctl: the store does not answer\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(CTL_FAILED);
	_exit(CTL_TIMEOUT);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

static void complain(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("xpvctl: ", stderr);
	vfprintf(stderr, fmt, ap);
}

enum ctl_exit failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CTL_FAILED;
}

enum ctl_exit usage(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see xpvctl %s --help)\n", ctl->verb ? ctl->verb->name : "");
	return CTL_USAGE;
}

bool format(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, len, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < len)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

static enum ctl_exit help(void)
{
	size_t i;

	say("usage: xpvctl <command> [options] [arguments]\n\n");
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		say("  %-13s %-36s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
	say("\n<dom> is a name or a number. Every command has --help; see also xpvctl(8).\n");
	return CTL_OK;
}

static enum ctl_exit help_verb(const struct ctl_verb *verb)
{
	say("usage: xpvctl %s [options] %s\n%s\n\noptions:\n", verb->name, verb->arguments,
	    verb->summary);
	if (strchr(verb->options, 'f'))
		say("  -f, --force      do not wait for the guest to let go; its I/O fails\n");
	if (strchr(verb->options, 'q'))
		say("  -q, --quiet      no progress, and less output\n");
	if (strchr(verb->options, 't'))
		say("  -t, --timeout S  wait at most S seconds (default %d)\n", DEFAULT_TIMEOUT);
	say("  -h, --help       this text\n");
	if (verb->run == block_attach)
		say("\n<disk-spec>, see xl-disk-configuration(5), is one of\n"
		    "  phy:/dev/x xvda w\n  phy:/dev/x,xvda,w\n  /dev/x,raw,xvda,rw\n"
		    "  format=raw,vdev=xvda,access=rw,target=/dev/x\n");
	return CTL_OK;
}

static bool parse_timeout(struct ctl *ctl, const char *text)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || !n || n > MAX_TIMEOUT)
		return false;
	ctl->timeout = (unsigned int)n;
	return true;
}

/* CTL_OK and ctl->argv is what is left; or the program is to end with *@code. */
static bool parse_options(struct ctl *ctl, int argc, char **argv, enum ctl_exit *code)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "force", no_argument, NULL, 'f' },
		{ "timeout", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hqft:", options, NULL)) != -1) {
		if (c == 'h') {
			*code = help_verb(ctl->verb);
			return false;
		}
		if (c == ':') {
			*code = usage(ctl, "%s: %s needs a value", ctl->verb->name,
				      argv[optind - 1]);
			return false;
		}
		if (c == '?' || !strchr(ctl->verb->options, c)) {
			*code = usage(ctl, "%s: unknown option %s", ctl->verb->name,
				      argv[optind - 1]);
			return false;
		}
		if (c == 't' && !parse_timeout(ctl, optarg)) {
			*code = usage(ctl,
				      "%s: timeout '%s' is not a number of seconds from 1 to %d",
				      ctl->verb->name, optarg, MAX_TIMEOUT);
			return false;
		}
		ctl->quiet |= c == 'q';
		ctl->force |= c == 'f';
	}
	ctl->argc = argc - optind;
	ctl->argv = argv + optind;
	return true;
}

static void catch_signals(unsigned int timeout)
{
	struct sigaction sa = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = on_alarm;
	sigaction(SIGALRM, &sa, NULL);
	alarm(timeout + STORE_GRACE);
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_exit code;

	if (!parse_options(ctl, argc, argv, &code))
		return code;
	if (ctl->argc < ctl->verb->min_args || ctl->argc > ctl->verb->max_args)
		return usage(ctl, "%s: %s arguments, expected %s", ctl->verb->name,
			     ctl->argc < ctl->verb->min_args ? "too few" : "too many",
			     ctl->verb->arguments);
	catch_signals(ctl->timeout);
	if (ctl->verb->store && !store_open(ctl))
		return CTL_FAILED;
	code = ctl->verb->run(ctl);
	xs_close(ctl->xs);
	if (fflush(stdout) && code == CTL_OK)
		code = failed("standard output: %s", strerror(errno));
	return code;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .timeout = DEFAULT_TIMEOUT };
	size_t i;

	if (argc < 2) {
		failed("no command is given (see xpvctl --help)");
		return CTL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return (int)help();
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, argv[1]))
			continue;
		ctl.verb = &verbs[i];
		return (int)run(&ctl, argc - 1, argv + 1);
	}
	failed("unknown command '%s' (see xpvctl --help)", argv[1]);
	return CTL_USAGE;
}
