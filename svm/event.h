/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - injecting through a VMCB; see vm/event.h and vm/backend.h
 */
#ifndef SVM_EVENT_H
#define SVM_EVENT_H

#include "svm/vmcb.h"
#include "vm/event.h"

/* struct backend, for a VMCB. */
void svm_event_inject(struct vmcb *b, struct event e);
bool svm_event_waiting(const struct vmcb *b, struct event *e);
bool svm_event_irq_open(const struct vmcb *b);
void svm_event_irq_window(struct vmcb *b, bool on);

/* At an exit that may have interrupted the delivery of an event: it waits again. */
void svm_event_again(struct vmcb *b);

#endif
