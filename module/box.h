/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The top of the module: creates and destroys boxes.
 */
#ifndef _MMBOX_BOX_H
#define _MMBOX_BOX_H

#include "faces/faces.h"

/* params.c */
int mmbox_params_read(struct mmbox_config *cfg, const char *const *typed);
int mmbox_params_typed(struct mmbox_config *cfg);

/* cpu.c */
int mmbox_cpu_module_init(void);
void mmbox_cpu_module_exit(void);
int mmbox_cpu_start(struct mmbox *box);
void mmbox_cpu_stop(struct mmbox *box);

/* box.c */
int mmbox_config_check(const struct mmbox_config *cfg);
struct mmbox *mmbox_create(const struct mmbox_config *cfg);
void mmbox_destroy(struct mmbox *box);

#endif /* _MMBOX_BOX_H */
