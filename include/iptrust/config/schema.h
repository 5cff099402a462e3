/* Every key of the configuration in one table: what the checker walks, `docs/CONFIGURATION.md` prints and a test holds
 * against each other. */
#ifndef IPTRUST_CONFIG_SCHEMA_H
#define IPTRUST_CONFIG_SCHEMA_H

#include "iptrust/base/buf.h"

typedef enum ipt_key_type {
    IPT_KEY_MAP = 0, /* a mapping with the keys below this path */
    IPT_KEY_NAMED,   /* a mapping from names to what stands below `path.*` */
    IPT_KEY_BOOL,
    IPT_KEY_INTEGER,
    IPT_KEY_FRACTION, /* 0 to 1 */
    IPT_KEY_DURATION, /* 250ms, 5s, 15m, 1h, 7d */
    IPT_KEY_BYTES,    /* 512, 64KiB, 1MiB */
    IPT_KEY_TIME,     /* RFC 3339 */
    IPT_KEY_STRING,
    IPT_KEY_PATH,
    IPT_KEY_LISTEN,   /* host:port or unix:/path */
    IPT_KEY_MODE,     /* octal permission bits in quotes */
    IPT_KEY_ENUM,     /* one of the words in `range` */
    IPT_KEY_NAME,     /* of a list or policy */
    IPT_KEY_HEADER,   /* a header name */
    IPT_KEY_PREFIXES, /* sequence of prefixes or addresses */
    IPT_KEY_STRINGS,  /* sequence of strings */
    IPT_KEY_NAMES,    /* sequence of list names */
    IPT_KEY_OTHER,    /* checked by its own code; `range` says what it takes */
} ipt_key_type;

typedef struct ipt_key {
    const char *path; /* "lists.*.refresh"; `*` stands for a name */
    ipt_key_type type;
    const char *fallback; /* the default as written in YAML; NULL: none, the key may be absent; "!" required */
    const char *range;    /* limits or words, for people and for the checker of ENUM ("a | b | c"); NULL */
    const char *meaning;  /* one sentence */
    bool in_effect;       /* false: checked, and warned about as `not yet in effect` */
} ipt_key;

extern const ipt_key ipt_schema[];
extern const size_t ipt_schema_count;

void ipt_schema_print_markdown(ipt_buf *out); /* the table of docs/CONFIGURATION.md */

#endif
