/* The whole macro vocabulary of the project and its error type. A new macro needs a reason in docs/STYLE.md. */
#ifndef IPTRUST_BASE_COMMON_H
#define IPTRUST_BASE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPT_MUST_USE            __attribute__((warn_unused_result))
#define IPT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define IPT_COUNT(array)        (sizeof(array) / sizeof((array)[0]))

/* ipt_auto(ipt_view) *view = NULL;  releases what it holds on every way out of the block. */
#define ipt_auto(T) __attribute__((cleanup(T##_cleanup))) T
#define IPT_DEFINE_CLEANUP(T, fn)         \
    static inline void T##_cleanup(T **p) \
    {                                     \
        fn(*p);                           \
    }

/* A fault: something our machine could not do. Callers forward it and never interpret it; input that is simply bad is
 * not a fault but an outcome, and each parser has an enum of its own for that. */
typedef enum ipt_err {
    IPT_OK = 0,
    IPT_ENOMEM,  /* no memory */
    IPT_EIO,     /* the system refused; errno says why */
    IPT_ECONFIG, /* the configuration is wrong; the diagnostics say where */
    IPT_ELIMIT,  /* more than a documented limit */
} ipt_err;

const char *ipt_err_name(ipt_err err); /* static, "IPT_ENOMEM" */

#endif
