/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot sector, of a floppy, that starts a Linux kernel which is in the memory of an HVM guest
 * already: the device model put it there, unpacked, before the guest began (hvm-boot). The usual way,
 * kernel=, reads a packed kernel through a port, byte by byte, and unpacks it under emulation.
 *
 * What the kernel wants to know is at PARAMS, but for the memory map, which the firmware is asked for.
 * Then it is entered as the 64-bit boot protocol says, at the address that PARAMS has in code32_start.
 */
#define PARAMS		0xa00000	/* as in hvm-boot */
#define E820_COUNT	0x1e8		/* offsets in it */
#define CODE32_START	0x214
#define E820_TABLE	0x2d0
#define E820_ENTRY	20

#define TABLES		0x1000		/* three pages: the first GiB, as it is */
#define MAP		0x4000
#define MSR_EFER	0xc0000080

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

	mov	$MAP, %di
	xor	%ebx, %ebx
1:	mov	$0xe820, %eax
	mov	$0x534d4150, %edx
	mov	$E820_ENTRY, %ecx
	int	$0x15
	jc	2f
	add	$E820_ENTRY, %di
	test	%ebx, %ebx
	jnz	1b
2:	cli
	mov	%di, %bp		/* end of the map */

	xor	%eax, %eax
	mov	$TABLES, %di
	mov	$(3 * 4096 / 4), %cx
	rep	stosl
	movw	$(TABLES + 0x1003), TABLES
	movw	$(TABLES + 0x2003), TABLES + 0x1000
	mov	$(TABLES + 0x2000), %di
	mov	$0x83, %eax		/* present, writable, 2 MiB */
3:	mov	%eax, (%di)
	add	$8, %di
	add	$0x200000, %eax
	cmp	$(TABLES + 0x3000), %di
	jb	3b

	lgdt	gdt_pointer
	mov	$TABLES, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$0x100, %eax		/* long mode, as soon as there is paging */
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax	/* paging and protection */
	mov	%eax, %cr0
	ljmp	$0x10, $long_mode

	.code64
long_mode:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	movzwl	%bp, %ecx
	sub	$MAP, %ecx
	mov	$MAP, %esi
	mov	$(PARAMS + E820_TABLE), %edi
	mov	%ecx, %eax
	rep	movsb
	mov	$E820_ENTRY, %ecx
	xor	%edx, %edx
	div	%ecx
	mov	$PARAMS, %esi		/* where the kernel looks for it */
	mov	%al, E820_COUNT(%rsi)
	mov	CODE32_START(%rsi), %eax
	jmp	*%rax

	.balign	8
gdt:	.quad	0, 0
	.quad	0x00af9b000000ffff	/* 0x10: code of 64 bits */
	.quad	0x00cf93000000ffff	/* 0x18: data */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
