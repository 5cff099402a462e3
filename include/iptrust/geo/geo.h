/* Databases in MaxMind's format, from whatever vendor, as one immutable set that any number of threads may ask. A file
 * is served from a sealed copy in memory and only after every structure in it that a look-up can reach has been
 * checked: who changes, truncates or forges a file never reaches a request. */
#ifndef IPTRUST_GEO_GEO_H
#define IPTRUST_GEO_GEO_H

#include "iptrust/geo/facts.h"

#define IPT_GEO_BYTES_MAX (UINT32_C(1) << 30) /* of one file: it is held in memory whole */

typedef struct ipt_geo ipt_geo;

/* Why a file is not taken. */
typedef enum ipt_geo_refusal {
    IPT_GEO_TAKEN = 0,
    IPT_GEO_UNREADABLE,  /* not there, no permission, no plain file */
    IPT_GEO_TOO_LARGE,   /* more than IPT_GEO_BYTES_MAX */
    IPT_GEO_CHANGING,    /* it was being written while it was read */
    IPT_GEO_NO_METADATA, /* no MaxMind DB file */
    IPT_GEO_BAD_METADATA,
    IPT_GEO_BAD_TREE,
    IPT_GEO_BAD_DATA,
    IPT_GEO_NO_FIELDS, /* sound, and nothing in it that we could tell */
    IPT_GEO_NO_COPY,   /* the system gave no memory for the copy */
} ipt_geo_refusal;
const char *ipt_geo_refusal_text(ipt_geo_refusal refusal); /* a plain phrase; of TAKEN "ok" */

/* How one file of a set stands. Everything but path, refusal and loaded is void when nothing is loaded. */
typedef struct ipt_geo_file {
    const char *path;
    const char *name;        /* the file's name without directory and .mmdb, told apart from the others; set always */
    ipt_geo_refusal refusal; /* of what lies at path now; with loaded, an earlier copy serves on */
    bool loaded;
    const char *type;        /* database_type, as the vendor wrote it; printable ASCII */
    const char *attribution; /* that the licence asks for; NULL when we know of none */
    int64_t built;           /* seconds since 1970 */
    size_t bytes;            /* of the copy in memory */
    uint64_t fields;         /* that it can tell, by IPT_GEO_BIT */
    bool ipv4_only;
} ipt_geo_file;

/* Reads and checks every file: seconds for a large one, so never on a thread that serves. previous (may be NULL) lends
 * the copies of files that are the same as before, and of those whose successor is refused. Files that are refused are
 * no fault: ipt_geo_file_at() tells. count is at most IPT_GEO_FILES_MAX. */
IPT_MUST_USE ipt_err ipt_geo_open(const char *const *paths, size_t count, const ipt_geo *previous, ipt_geo **out);

/* Sets are counted: a view holds one. NULL is fine in both. */
ipt_geo *ipt_geo_ref(const ipt_geo *geo);
void ipt_geo_unref(ipt_geo *geo);
IPT_DEFINE_CLEANUP(ipt_geo, ipt_geo_unref)

/* Whether both say the same of every file: the same copies, the same refusals. */
bool ipt_geo_equal(const ipt_geo *a, const ipt_geo *b);

/* Whether a file at one of the paths is another than was read, told from its inode, size and times: cheap. */
bool ipt_geo_is_outdated(const ipt_geo *geo);

size_t ipt_geo_count(const ipt_geo *geo); /* 0 for NULL */
ipt_geo_file ipt_geo_file_at(const ipt_geo *geo, size_t i);
uint64_t ipt_geo_fields(const ipt_geo *geo);      /* that the loaded files can tell together; 0 for NULL */
const char *ipt_geo_revision(const ipt_geo *geo); /* 8 hexadecimal digits of the contents; NULL when none is loaded */

/* What the files say of addr; for each field the first file with a value. wanted: fields worth looking for. geo may be
 * NULL. An address that carries another is the caller's to unwrap. */
void ipt_geo_lookup(const ipt_geo *geo, ipt_addr addr, uint64_t wanted, ipt_geo_facts *out);

/* What the licences of the files that told these facts ask to be said where they are shown: each text once; how many.
 */
size_t ipt_geo_attributions(const ipt_geo *geo, const ipt_geo_facts *facts, const char *out[IPT_GEO_FILES_MAX]);

/* Whether a loaded file that tells one of these fields covers the family of the address looked up. */
bool ipt_geo_covers(const ipt_geo *geo, const ipt_geo_facts *facts, uint64_t fields);

#endif
