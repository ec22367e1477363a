/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catalog - names that can be read from the image without running it
 *
 * Each entry is a text "KIND\tNAME\tWHAT" in section .catalog; `./shootdown list` and
 * the check of a selection read it from the ELF file.
 */
#ifndef LIB_CATALOG_H
#define LIB_CATALOG_H

#define CATALOG(id, kind, name, what)    \
	static const char catalog_##id[] \
		__attribute__((section(".catalog"), used)) = kind "\t" name "\t" what

#endif
