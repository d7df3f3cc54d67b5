/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xpv-platform-pci: the domain that this kernel runs in, as a provider. Each block names the file that owns it.
 */
#ifndef XPV_PLATFORM_H
#define XPV_PLATFORM_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/pci.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xpv/hypervisor.h>

#define PLAT_VCPUS		128U		/* no HVM guest has more */
#define PLAT_SHARED_VCPUS	MAX_VIRT_CPUS	/* whose vcpu_info is in shared_info */

struct area;
struct plat_upcall_way;

/**
 * struct plat_space - where pages of other domains can be mapped: space.c
 * @lock:   interrupts off; the three below
 * @pages:  those that are free, a stack with room for all
 * @free:   how many
 * @total:  how many there are
 * @chunks: of what they were made; @more and init are the only ones to change it
 * @more:   makes more
 */
struct plat_space {
	spinlock_t lock;
	struct page **pages;
	unsigned long free;
	unsigned long total;
	struct list_head chunks;
	struct work_struct more;
};

/**
 * struct platform - the domain, from probe to remove
 * @pdev:       the platform device
 * @domid:      the domain's number
 * @max_frames: of the grant table
 * @store_port: port of the store's ring
 * @shared:     shared_info; NULL while the domain is suspended
 * @info:       by virtual CPU: where its events are noted, or NULL
 * @area:       vcpus.c: of those that shared_info has no room for, or NULL
 * @area_gfn:   of its first page
 * @xpv:        the domain as xenbus knows it
 * @released:   nothing is granted any more
 * @space:      for foreign pages
 *
 * @way:       how upcalls come; the rest belongs to upcall*.c
 * @dom:       who gets them, or NULL. Read in hard interrupts, under RCU
 * @test_port: without @dom: the port of the event that is being waited for, 0: none
 * @tested:    it came
 * @cpu:       of the ways that serve one virtual CPU: which Linux CPU that is
 * @forwarding: bit 0: @forward is under way ...
 * @forward:   ... to bring an upcall to @cpu
 * @work:      the same, from within @cpu
 * @timer:     upcall-poll.c
 */
struct platform {
	struct pci_dev *pdev;
	domid_t domid;
	unsigned int max_frames;
	evtchn_port_t store_port;
	struct shared_info *shared;
	struct vcpu_info *info[PLAT_VCPUS];
	struct area *area;
	unsigned long area_gfn;
	struct xpv_domain *xpv;
	struct completion released;
	struct plat_space space;

	const struct plat_upcall_way *way;
	struct xpv_domain __rcu *dom;
	evtchn_port_t test_port;
	struct completion tested;
	unsigned int cpu;
	unsigned long forwarding;
	call_single_data_t forward;
	struct irq_work work;
	struct hrtimer timer;
};

/* --- main.c ---------------------------------------------------------------------------------------------------- */

/* plat_facilities_start() - what it needs of the hypervisor before it can be registered, or resumed. May sleep */
int plat_facilities_start(struct platform *p);
/* plat_facilities_stop() - mirror; no-op if they are not up. The domain is unregistered or suspended */
void plat_facilities_stop(struct platform *p);

/* --- detect.c: is this Xen, and whose kernel is it ------------------------------------------------------------ */

int plat_detect(void);
/* plat_hypercall_msr() - the register that takes the address of the hypercall page, or 0 */
u32 plat_hypercall_msr(void);
/* plat_domid() - the domain's number. Makes hypercalls */
int plat_domid(domid_t *domid);
/* plat_vcpu_note() - take note of the virtual CPU's number of the Linux CPU that calls. Preemption off */
void plat_vcpu_note(void);
unsigned int plat_vcpu(unsigned int cpu);
/* plat_vcpu_cpu() - the online Linux CPU that is a virtual CPU, or -ENODEV */
int plat_vcpu_cpu(unsigned int vcpu);

/* --- hypercall.c: 0 or a negative errno, unless said otherwise; any context ------------------------------------ */

extern u8 plat_hypercall_page[];	/* code of this module's, made by the hypervisor */
void plat_hypercall_init(void);
int plat_memory_op(unsigned int cmd, void *arg);	/* or a number of extents */
int plat_grant_table_op(void *hv, unsigned int cmd, void *ops, unsigned int count);
int plat_event_channel_op(void *hv, int cmd, void *arg);
int plat_hvm_op(unsigned int cmd, void *arg);
int plat_sched_op(unsigned int cmd, void *arg);
int plat_vcpu_op(unsigned int cmd, unsigned int vcpu, void *arg);
int plat_xen_version(void *hv, int cmd, void *arg);	/* or a number */
int plat_param_get(u32 index, u64 *value);
int plat_param_set(u32 index, u64 value);

/* --- frames.c: pages of the hypervisor in place of pages of ours ----------------------------------------------- */

/* plat_page_hole() - a page of ours whose frame is given up: nothing may touch it. May sleep. NULL without memory */
struct page *plat_page_hole(void);
/* plat_page_fill() - mirror of plat_page_hole(): has a frame again, and is freed. May sleep */
void plat_page_fill(struct page *page);
/* plat_frame_populate() - memory at @gfn, where there is none. May sleep */
int plat_frame_populate(unsigned long gfn);
/* plat_frames_start() - where frames are to be shown */
int plat_frames_start(struct pci_dev *pdev);
void plat_frames_stop(void);
/* plat_frame_map() - show a frame of the hypervisor (XENMAPSPACE_*) at *@va, in write-back memory. May sleep */
int plat_frame_map(unsigned int space, unsigned long idx, void **va);
void plat_frame_unmap(void *va);
int plat_map_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void **va);
void plat_unmap_frame(void *hv, enum xpv_frame_space space, unsigned int idx, void *va);
int plat_shared_map(struct platform *p);
void plat_shared_unmap(struct platform *p);

/* --- bar.c: the device's memory region as the place for them. Process context ------------------------------------ */

int plat_bar_start(struct pci_dev *pdev);
void plat_bar_stop(void);	/* no-op if it was not started */
bool plat_bar_used(void);
int plat_bar_take(unsigned long *gfn, void **va);
void plat_bar_give(void *va);
unsigned long plat_bar_gfn(const void *va);	/* of what was taken */
/* plat_bar_tail_take() - the last @pages, which are for no frames; @gfn is the first one's. -ENXIO: too small */
int plat_bar_tail_take(struct pci_dev *pdev, unsigned int pages, unsigned long *gfn);
void plat_bar_tail_give(unsigned long gfn, unsigned int pages);

/* --- vcpus.c: where the events of virtual CPUs are noted ---------------------------------------------------------- */

void plat_vcpus_start(struct platform *p);	/* the numbers of all virtual CPUs are known, shared_info is there */
void plat_vcpus_stop(struct platform *p);	/* mirror: nobody gets upcalls */
/* plat_vcpu_online() - between the two, on a CPU that may be new: registers it if need be. Preemption off */
void plat_vcpu_online(struct platform *p);
/* plat_vcpu_info() - as xpv_hypercalls wants it. Any context */
struct vcpu_info *plat_vcpu_info(void *hv, unsigned int vcpu);

/* --- space.c: room for pages of other domains ------------------------------------------------------------------ */

void plat_space_init(struct plat_space *s);
void plat_space_exit(struct plat_space *s);
/* plat_page_get(), _put() - as xpv_hypercalls wants them */
struct page *plat_page_get(void *hv);
void plat_page_put(void *hv, struct page *page);

/* --- reset.c: what a kernel or module before this one has left ------------------------------------------------ */

int plat_reset(struct platform *p);
/* plat_ports_reset() - EVTCHNOP_reset of this domain, as xpv_hypercalls wants it. Process context */
int plat_ports_reset(struct platform *p);

/* --- upcall.c: how the hypervisor's events reach a CPU --------------------------------------------------------- */

/**
 * struct plat_upcall_way - one way
 * @name:      for the parameter and logs
 * @all_vcpus: it reaches each virtual CPU, not only the first one
 * @start:     from now on upcalls come. May sleep
 * @stop:      none is running or comes any more. May sleep
 */
struct plat_upcall_way {
	const char *name;
	bool all_vcpus;
	int (*start)(struct platform *p);
	void (*stop)(struct platform *p);
};

int plat_upcall_start(struct platform *p);
void plat_upcall_stop(struct platform *p);
void plat_set_upcall(void *hv, struct xpv_domain *dom);
unsigned int plat_vcpu_id(void *hv, unsigned int cpu);

/* plat_upcall() - an upcall came for the CPU that calls. Hard interrupt */
void plat_upcall(struct platform *p);
/*
 * plat_upcall_first() - look, on any CPU, at the one virtual CPU that the way serves. Hard interrupt. Returns whether
 * there was something
 */
bool plat_upcall_first(struct platform *p);

extern const struct plat_upcall_way plat_upcall_vector;
extern const struct plat_upcall_way plat_upcall_intx;
extern const struct plat_upcall_way plat_upcall_poll;

/* --- unplug.c: emulated devices that paravirtual ones replace -------------------------------------------------- */

void plat_unplug(void);
/* plat_unplug_again() - the domain was restored: its device model is a new one. May sleep */
void plat_unplug_again(void);

/* --- suspend.c: what the toolstack asks of the domain ----------------------------------------------------------- */

#define PLAT_SHUTDOWNS (BIT(XPV_SHUTDOWN_POWEROFF) | BIT(XPV_SHUTDOWN_REBOOT) | BIT(XPV_SHUTDOWN_HALT) | \
			BIT(XPV_SHUTDOWN_SUSPEND))

void plat_shutdown(struct xpv_domain *dom, enum xpv_shutdown what);	/* as struct xpv_domain_desc wants it */

/* --- domain.c: the domain and xenbus --------------------------------------------------------------------------- */

int plat_domain_register(struct platform *p);
void plat_domain_unregister(struct platform *p, bool patient);

#endif /* XPV_PLATFORM_H */
