/* What the tests of the view share: a configuration from text, and a view of it. */
#ifndef IPTRUST_TESTS_VIEW_SETUP_H
#define IPTRUST_TESTS_VIEW_SETUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "view_priv.h"

#define SETUP_NOW INT64_C(1795348800) /* 2026-11-22T12:00:00Z */

/* Fail the test, with the messages, when the text is refused. */
ipt_config *setup_config(const char *yaml);
ipt_view *setup_view(const char *yaml, int64_t now);

ipt_addr setup_addr(const char *text);
uint16_t setup_list(const ipt_view *view, const char *name); /* its index */

#endif
