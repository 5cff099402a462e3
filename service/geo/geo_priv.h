/* What the parts of geo share: the private copy, the reader that checks a file before libmaxminddb sees it, and the
 * plan of what to ask. */
#ifndef IPTRUST_GEO_PRIV_H
#define IPTRUST_GEO_PRIV_H

#include <maxminddb.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "iptrust/geo/geo.h"

/* ---- copy.c ---- */

/* By which a file is told from the one that was there before. */
typedef struct geo_identity {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
} geo_identity;

bool geo_identify(const char *path, geo_identity *out);
bool geo_same_identity(const geo_identity *a, const geo_identity *b);

/* A sealed memory file and our own view of it. */
typedef struct geo_copy {
    int fd;
    const uint8_t *p;
    size_t n;
} geo_copy;

/* identity is that of the file read, set whenever it could be told. */
IPT_MUST_USE ipt_geo_refusal geo_copy_open(const char *path, geo_identity *identity, geo_copy *out);
void geo_copy_close(geo_copy *copy);

/* ---- value.c: one value of a data section (MaxMind DB specification, Data Section) ---- */

typedef struct geo_section {
    const uint8_t *p;
    uint32_t n; /* bytes; pointers count from p */
} geo_section;

typedef struct geo_value {
    uint8_t type;  /* MMDB_DATA_TYPE_*; never EXTENDED */
    uint32_t size; /* bytes of a scalar, items of a map or array, target of a pointer, 0 or 1 of a boolean */
    uint32_t at;   /* payload, or the first item */
    uint32_t next; /* after a scalar or pointer; of a map or array the same as at */
} geo_value;

/* False when it does not lie whole in the section, or its type or size is none that the format has. */
IPT_MUST_USE bool geo_value_read(const geo_section *section, uint32_t at, geo_value *out);
/* The same, through one pointer; out->next is then behind the target. */
IPT_MUST_USE bool geo_value_follow(const geo_section *section, uint32_t at, geo_value *out);
/* Where the value at an offset ends, with all that is in it. Of a section that has been checked. */
IPT_MUST_USE bool geo_value_skip(const geo_section *section, uint32_t at, uint32_t *next);
uint64_t geo_value_uint(const geo_section *section, const geo_value *value);
/* UTF-8, no control characters, not empty and not too long: fit to be shown. */
bool geo_text_is_clean(ipt_span text);

/* ---- schema.c: where vendors put what ---- */

typedef enum geo_kind {
    GEO_KIND_TEXT = 0,
    GEO_KIND_CODE, /* two upper-case letters */
    GEO_KIND_NAME, /* a text that is no code: some vendors use one key for either */
    GEO_KIND_UINT,
    GEO_KIND_ASN, /* a number, or "AS15169" */
    GEO_KIND_LATITUDE,
    GEO_KIND_LONGITUDE,
    GEO_KIND_FLAG,
} geo_kind;

enum { GEO_LEAVES_MAX = 14, GEO_GROUPS_MAX = 48 };

typedef struct geo_leaf {
    uint8_t field; /* ipt_geo_field */
    uint8_t kind;
    const char *path[3]; /* below the group's value, ended by NULL; none: the value itself */
} geo_leaf;

/* What is found below one key of a record. */
typedef struct geo_group {
    const char *key;
    bool first_item; /* of an array */
    uint8_t leaf_count;
    geo_leaf leaves[GEO_LEAVES_MAX];
} geo_group;

const geo_group *geo_schema(size_t *count);
/* Which leaves have been met in any record: bit by leaf. */
typedef struct geo_survey {
    uint16_t met[GEO_GROUPS_MAX];
} geo_survey;
/* Adds what the record at an offset holds; the record has been checked. */
void geo_survey_record(const geo_section *data, uint32_t at, geo_survey *survey);

/* ---- verify.c ---- */

typedef struct geo_layout {
    uint32_t node_count;
    uint16_t record_size, ip_version;
    int64_t built;
    char type[64];
    geo_section metadata, data;
    const uint8_t *tree;
    bool is_clean; /* every text of it is fit to be shown */
} geo_layout;

/* Finds the parts, then checks all that a look-up can reach; IPT_ENOMEM is told as IPT_GEO_NO_COPY. */
IPT_MUST_USE ipt_geo_refusal geo_verify(const geo_copy *copy, geo_layout *layout, geo_survey *survey);

/* ---- database.c ---- */

/* One question to libmaxminddb: where a group lies, and what to take from it. */
typedef struct geo_step {
    const char *path[6]; /* to the group, ended by NULL; with room for a leaf's */
    uint8_t leaf_count;
    const geo_leaf *leaves[GEO_LEAVES_MAX];
    uint64_t fields;
} geo_step;

typedef struct geo_database {
    atomic_uint refs;
    MMDB_s mmdb;
    size_t bytes;
    int64_t built;
    char type[64];
    bool ipv4_only, is_clean;
    uint64_t fields;
    uint8_t digest[32];
    size_t step_count;
    geo_step steps[]; /* what this file holds, in the order of the schema */
} geo_database;

IPT_MUST_USE ipt_err geo_database_open(const char *path, geo_identity *identity, ipt_geo_refusal *refusal,
                                       geo_database **out);
void geo_database_unref(geo_database *database);

/* ---- lookup.c ---- */

/* False: libmaxminddb complained. file is noted with each value found. */
bool geo_database_ask(const geo_database *database, ipt_addr addr, uint64_t wanted, uint8_t file, ipt_geo_facts *out);

/* ---- words.c ---- */

const char *geo_attribution(const char *type);

#endif
