/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An option ROM that starts a Linux kernel which is in the memory of an HVM guest already, put there by the device model
 * when it began. QEMU's own way reads kernel and initramfs through a port, byte by byte, which takes a minute under emulation.
 *
 * At BOOT_SETUP is a 64 KiB image of what belongs to 0x10000: the kernel's real-mode part with its header filled in, and the
 * command line (made by hvm-boot). This copies it there, as nothing low survives the firmware, and enters it.
 */
#define BOOT_SETUP	0x3000000
#define SEGMENT		0x1000
#define STACK		0xe000

	.code16
	.text
	.global _start
_start:
	.word	0xaa55
	.byte	1			/* of 512 bytes */
	jmp	init
	.org	0x18
	.word	0, 0			/* neither a PCI nor a PnP header */

init:	/* once, with the other ROMs: take over the boot vector */
	push	%ds
	push	%ax
	xor	%ax, %ax
	mov	%ax, %ds
	movw	$boot, 0x19 * 4
	mov	%cs, %ax
	mov	%ax, 0x19 * 4 + 2
	pop	%ax
	pop	%ds
	lret

boot:
	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	%ax, %es
	mov	$0x7c00, %di
	mov	%cs, %ax
	mov	%ax, %ds
	mov	$table, %si
	mov	$(table_end - table), %cx
	rep	movsb
	mov	$0x7c00, %si
	mov	$0x8000, %cx		/* words */
	mov	$0x87, %ah		/* the BIOS's move of extended memory */
	sti
	int	$0x15
	cli
	mov	$SEGMENT, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	$STACK, %sp
	ljmp	$(SEGMENT + 0x20), $0

table:	/* descriptors for that move: two for its own use, source, target, two more */
	.fill	2, 8, 0
	.word	0xffff, BOOT_SETUP & 0xffff
	.byte	(BOOT_SETUP >> 16) & 0xff, 0x93, 0, BOOT_SETUP >> 24
	.word	0xffff, (SEGMENT << 4) & 0xffff
	.byte	SEGMENT >> 12, 0x93, 0, 0
	.fill	2, 8, 0
table_end:

	.org	511
	.byte	0			/* checksum, filled in by tests/xen/run */
