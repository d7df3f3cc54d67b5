// SPDX-License-Identifier: GPL-2.0
/* What the compiler and sparse are to find. */
#include <linux/module.h>

u32 *bad_pointer(u32 __iomem *p);
__le32 bad_endian(u32 n);

u32 *bad_pointer(u32 __iomem *p)
{
	u32 *q;

	q = p;
	return q;
}

__le32 bad_endian(u32 n)
{
	int unused_variable;

	return n;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bad on purpose");
