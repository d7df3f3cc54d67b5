// SPDX-License-Identifier: GPL-2.0
/* What checkpatch is to find. */

static int good(int n)
{
	return n + 1;
}

static int bad(int n)
{
	if(n)		/* bad */
		return 1;
	printk("no level\n");	/* bad */
	BUG();		/* bad */
	return (n);	/* bad */
}
