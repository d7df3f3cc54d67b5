// SPDX-License-Identifier: GPL-2.0
/* Queues: their memory, their ring, and the thread that serves it. */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "blkback.h"

static irqreturn_t interrupt(int irq, void *arg)
{
	struct blkback_queue *q = arg;

	WRITE_ONCE(q->cpu, smp_processor_id());
	WRITE_ONCE(q->events, true);
	wake_up(&q->wait);
	return IRQ_HANDLED;
}

/*
 * Takes and answers until there is neither a request nor an ended bio. An event is acknowledged
 * after the ring has been seen empty. It was spurious if nothing has been taken since the last one:
 * requests may have been found before their event came.
 */
static void serve(struct blkback_queue *q)
{
	bool event = xchg(&q->events, false);
	int more = 0;

	do {
		if (!q->broken && !kthread_should_stop())
			blkback_submit_batch(q);
		blkback_complete_batch(q);
		cond_resched();
		if (q->broken || kthread_should_stop())
			break;
		RING_FINAL_CHECK_FOR_REQUESTS(&q->ring.x64, more);
	} while (more || !llist_empty(&q->done));

	if (blkback_bdev_resized(q->bd))
		xpv_device_kick(q->bd->xdev);
	if (event && !q->broken) {
		xpv_event_eoi(&q->event, q->worked ? XPV_EOI_WORK : XPV_EOI_SPURIOUS);
		q->worked = false;
	}
}

/*
 * The thread runs where its events come: left to itself it would wake up where it slept, and if that
 * is another processor, each event would cost an interrupt to it, which is a dear thing under a
 * hypervisor. Who moves the event's interrupt moves the thread. Where interrupts cost little it is
 * better to use both processors.
 */
static void follow(struct blkback_queue *q)
{
	unsigned int cpu = READ_ONCE(q->cpu);

	if (cpu == q->follows || !xpv_event_ipis_cost(q->bd->xdev))
		return;
	q->follows = cpu;
	set_cpus_allowed_ptr(current, cpumask_of(cpu));	/* if it went offline: next time */
}

static bool has_work(struct blkback_queue *q)
{
	if (!llist_empty(&q->done))
		return true;
	return kthread_should_stop() ? !q->inflight : READ_ONCE(q->events);
}

/*
 * Memory must not be reclaimed by writing to a disk that this thread serves: both halves may live
 * in this kernel, and a frontend's file system waits for the thread then.
 */
static int queue_thread(void *arg)
{
	struct blkback_queue *q = arg;
	unsigned int noio = memalloc_noio_save();

	do {
		serve(q);
		follow(q);
		wait_event_idle(q->wait, has_work(q));
	} while (!kthread_should_stop() || q->inflight || !llist_empty(&q->done));

	memalloc_noio_restore(noio);
	return 0;
}

static int queue_attach(struct blkback_queue *q)
{
	struct blkif_sring *sring = q->mem.sring;
	size_t size = q->mem.nr_pages * PAGE_SIZE;
	RING_IDX rsp_prod = READ_ONCE(sring->rsp_prod);
	RING_IDX req_prod = READ_ONCE(sring->req_prod);

	/* A ring that another backend has served is taken up where that one stopped. */
	if (q->abi == BLKBACK_ABI_X64)
		BACK_RING_ATTACH(&q->ring.x64, sring, rsp_prod, size);
	else
		BACK_RING_ATTACH(&q->ring.x32, (struct blkback_x32_sring *)sring, rsp_prod, size);

	if (req_prod - rsp_prod > RING_SIZE(&q->ring.x64)) {
		xpv_device_fatal(q->bd->xdev, -EPROTO,
				 "queue %u: %u requests in a ring of %u", q->index,
				 req_prod - rsp_prod, RING_SIZE(&q->ring.x64));
		return -EPROTO;
	}
	return 0;
}

static void reqs_free(struct blkback_queue *q)
{
	blkback_kept_free(q);
	if (q->reqs)
		blkback_copy_free(q);
	kvfree(q->scratch);
	kvfree(q->reqs);
	q->scratch = NULL;
	q->reqs = NULL;
}

static int reqs_alloc(struct blkback_queue *q)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;	/* a failure is reported below */
	unsigned int i;

	q->nr_reqs = RING_SIZE(&q->ring.x64);
	q->reqs = kvcalloc(q->nr_reqs, sizeof(*q->reqs), gfp);
	q->scratch = kvcalloc(q->nr_reqs * BLKBACK_MAX_SEGS, sizeof(*q->scratch), gfp);
	if (!q->reqs || !q->scratch || blkback_copy_alloc(q) || blkback_kept_alloc(q)) {
		reqs_free(q);
		xpv_device_fatal(q->bd->xdev, -ENOMEM, "queue %u: no memory for requests",
				 q->index);
		return -ENOMEM;
	}
	for (i = 0; i < q->nr_reqs; i++) {
		q->reqs[i].q = q;
		q->reqs[i].next = q->free;
		q->free = &q->reqs[i];
	}
	return 0;
}

static int queue_start(struct blkback_queue *q, evtchn_port_t port)
{
	struct xpv_device *xdev = q->bd->xdev;
	struct task_struct *thread;
	char what[16];
	int err;

	thread = kthread_create(queue_thread, q, "xpvblk-%u.%s-%u", xdev->otherend_id,
				kbasename(xdev->nodename), q->index);
	if (IS_ERR(thread)) {
		xpv_device_fatal(xdev, PTR_ERR(thread), "queue %u: no thread", q->index);
		return PTR_ERR(thread);
	}

	snprintf(what, sizeof(what), "queue-%u", q->index);
	err = xpv_event_bind(xdev, &q->event, port, what, interrupt, NULL, q);
	if (err) {
		kthread_stop(thread);
		xpv_device_fatal(xdev, err, "queue %u: event-channel %u cannot be bound",
				 q->index, port);
		return err;
	}
	q->thread = thread;
	wake_up_process(thread);
	return 0;
}

static int queue_open(struct blkback_queue *q, const struct blkback_peer_keys *keys)
{
	struct xpv_device *xdev = q->bd->xdev;
	grant_ref_t ref = keys->ring_ref;
	int err;

	err = xpv_ring_map(xdev, &ref, 1, &q->mem);
	if (err) {
		xpv_device_fatal(xdev, err, "queue %u: ring-ref %u cannot be mapped",
				 q->index, ref);
		return err;
	}
	err = queue_attach(q);
	if (err)
		goto err_ring;
	err = reqs_alloc(q);
	if (err)
		goto err_ring;
	err = queue_start(q, keys->event_channel);
	if (err)
		goto err_reqs;
	return 0;

err_reqs:
	reqs_free(q);
err_ring:
	xpv_ring_unmap(xdev, &q->mem);
	return err;
}

/* The event channel outlives the thread, which may have answers to give to its end. */
static void queue_close(struct blkback_queue *q)
{
	if (!q->thread)
		return;
	kthread_stop(q->thread);
	q->thread = NULL;
	xpv_event_unbind(&q->event);
	blkback_kept_drop(q);
	xpv_ring_unmap(q->bd->xdev, &q->mem);
}

static void queues_free(struct blkback_queue *queues, unsigned int nr)
{
	unsigned int i;

	/* Somebody who ended the last bio may still be about to wake its thread, which is gone. */
	synchronize_rcu();
	for (i = 0; i < nr; i++)
		reqs_free(&queues[i]);
	kfree(queues);
}

/**
 * blkback_queues_open() - map the frontend's rings and serve them
 * @bd:   the device, its backing device open
 * @keys: where the rings are
 *
 * Return: 0; or an errno after xpv_device_fatal(), with nothing left behind.
 */
int blkback_queues_open(struct blkback_dev *bd, const struct blkback_peer_keys *keys)
{
	struct blkback_queue *queues;
	int err;

	queues = kcalloc(1, sizeof(*queues), GFP_KERNEL);
	if (!queues) {
		xpv_device_fatal(bd->xdev, -ENOMEM, "no memory for queues");
		return -ENOMEM;
	}
	queues->bd = bd;
	queues->abi = keys->abi;
	queues->persistent = bd->persistent && keys->persistent;
	queues->cpu = nr_cpu_ids;	/* anywhere, until the first event */
	queues->follows = nr_cpu_ids;
	init_waitqueue_head(&queues->wait);
	init_llist_head(&queues->done);
	err = queue_open(queues, keys);
	if (err) {
		kfree(queues);
		return err;
	}

	mutex_lock(&bd->lock);
	bd->queues = queues;
	bd->nr_queues = 1;
	mutex_unlock(&bd->lock);
	return 0;
}

/**
 * blkback_queues_close() - mirror; waits for the bios in flight. No-op without queues.
 * @bd: the device
 */
void blkback_queues_close(struct blkback_dev *bd)
{
	struct blkback_queue *queues = bd->queues;
	unsigned int i, nr = bd->nr_queues;

	if (!queues)
		return;
	for (i = 0; i < nr; i++)
		queue_close(&queues[i]);

	mutex_lock(&bd->lock);
	for (i = 0; i < nr; i++)
		blkback_stats_add(&bd->past, &queues[i].stats);
	bd->queues = NULL;
	bd->nr_queues = 0;
	mutex_unlock(&bd->lock);
	queues_free(queues, nr);
}
