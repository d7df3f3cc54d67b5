/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector, of a floppy, that starts a Linux kernel which is in the memory of an HVM guest already, put there from
 * dom0 while it was paused. QEMU's own way reads kernel and initramfs through a port, byte by byte: a minute under emulation.
 *
 * At BOOT_SETUP is a 64 KiB image of what belongs to 0x10000: the kernel's real-mode part with its header filled in, and the
 * command line (made by hvm-boot). This copies it there, as nothing low survives the firmware, and enters it.
 */
#define BOOT_SETUP	0x3000000
#define SEGMENT		0x1000
#define STACK		0xe000
#define SCRATCH		0x600

	.code16
	.text
	.global _start
_start:
	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	$(0x7c00 + table - _start), %si
	mov	$SCRATCH, %di
	mov	$(table_end - table), %cx
	rep	movsb
	mov	$SCRATCH, %si
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

	.org	510
	.word	0xaa55
