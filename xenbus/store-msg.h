/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is inside store messages, see store-msg.c. Pure.
 */
#ifndef XPV_STORE_MSG_H
#define XPV_STORE_MSG_H

#include <linux/types.h>

int xpv_msg_errno(const char *name, size_t len);
const char *xpv_msg_errname(int err);
bool xpv_msg_path_ok(const char *path);
int xpv_msg_number(const char *text, size_t len, u64 max, u64 *value);
int xpv_msg_pair(const char *body, size_t len, const char **first, const char **second);
int xpv_msg_part(const char *body, size_t len, u64 *gen, const char **names, size_t *names_len, bool *last);

#endif /* XPV_STORE_MSG_H */
