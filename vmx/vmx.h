/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmx - Intel's VMX as a backend; see vm/backend.h for what each part does.
 */
#ifndef VMX_VMX_H
#define VMX_VMX_H

#include "vm/backend.h"
#include "vmx/caps.h"
#include "vmx/vmcs.h"

extern const struct backend vmx_backend;

/* The controls agreed on; valid after vmx_backend.probe(). */
extern struct vmx_caps vmx_caps;

/* Fills the current VMCS for v: controls, host state of this CPU, guest state. */
void vmx_state_init(const struct vcpu *v);

/*
 * Why would hardware refuse the guest state?  NULL when no rule that is checked here is
 * broken.  `field` reads a VMCS field.  SDM vol. 3, 27.3.1.
 */
const char *vmx_explain_state(u64 (*field)(enum vmcs_field),
			      const struct vmx_caps *caps);

/* Decodes an exit and calls the policy for it. */
bool vmx_dispatch(struct vcpu *v);
/* The same for a vCPU with a log, which it drains first. */
bool vmx_dispatch_logged(struct vcpu *v);
void vmx_skip(void);

/* The name of a basic exit reason, for people (SDM vol. 3, appendix C). */
const char *vmx_reason_name(u32 reason);

#endif
