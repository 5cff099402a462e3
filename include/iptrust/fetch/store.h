/* Records by name in a directory that outlives the process: each is there whole, as it was written last, whenever the
 * power goes. Knows nothing of what is in them. */
#ifndef IPTRUST_FETCH_STORE_H
#define IPTRUST_FETCH_STORE_H

#include "iptrust/base/buf.h"

enum { IPT_STORE_NAME_MAX = 63, IPT_STORE_RECORD_MAX = 64 << 20, IPT_STORE_WHY_MAX = 256 };

typedef struct ipt_store ipt_store;

/* Below state_dir: `lists/` with the records, `lists/.lock` held by the one process that writes. The directories are
 * made when they are missing (mode 0700). A directory that another process holds, that is full or read-only is opened
 * all the same, for reading: *why says what is wrong with it, "" when nothing is. */
IPT_MUST_USE ipt_err ipt_store_open(const char *state_dir, ipt_store **out, char why[IPT_STORE_WHY_MAX]);
void ipt_store_close(ipt_store *store);
IPT_DEFINE_CLEANUP(ipt_store, ipt_store_close)

bool ipt_store_is_writer(const ipt_store *store);

typedef enum ipt_store_result {
    IPT_STORE_FAILED = 0, /* why says why */
    IPT_STORE_OK,
    IPT_STORE_NONE, /* there is no record of that name */
} ipt_store_result;

/* name: [a-z0-9_-], at most IPT_STORE_NAME_MAX. Appends the bytes. */
IPT_MUST_USE ipt_store_result ipt_store_read(const ipt_store *store, const char *name, ipt_buf *out,
                                             char why[IPT_STORE_WHY_MAX]);
/* On return of OK the record is on the disk; on FAILED the one before it is still there. */
IPT_MUST_USE ipt_store_result ipt_store_write(const ipt_store *store, const char *name, ipt_span bytes,
                                              char why[IPT_STORE_WHY_MAX]);

#endif
