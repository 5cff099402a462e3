/* Diagnostics as people and editors read them. */
#ifndef IPTRUST_CONFIG_DIAG_PRINT_H
#define IPTRUST_CONFIG_DIAG_PRINT_H

#include "iptrust/base/buf.h"
#include "iptrust/base/diag.h"

/* One item a line, in the order found: "file:line:column: error: text"; what the place does not have is left out. Says
 * at the end how many were not kept. */
void ipt_diag_print(const ipt_diag *diag, ipt_buf *out);

#endif
