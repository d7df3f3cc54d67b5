/* SPDX-License-Identifier: GPL-2.0 */
#define __XEN_EMULATE_PREFIX
#define __KVM_EMULATE_PREFIX
