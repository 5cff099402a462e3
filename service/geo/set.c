/* The files of a configuration as one set: immutable, counted, each copy shared with the sets before and after. */
#include <assert.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "geo_priv.h"

enum { NAME_MAX_BYTES = 56 };

typedef struct slot {
    char *path;
    char *name;
    geo_identity identity;   /* of what lay at path when it was looked at; all zero: nothing */
    ipt_geo_refusal refusal; /* of that */
    geo_database *database;  /* NULL: none */
} slot;

struct ipt_geo {
    atomic_uint refs;
    uint64_t fields;
    bool any;
    char revision[9];
    size_t count;
    slot slots[];
};

static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
    size_t n = strlen(base);
    if (n > 5 && strcmp(base + n - 5, ".mmdb") == 0)
        n -= 5;
    n = n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES;
    char *name = malloc(n + sizeof("-16"));
    if (name == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) { /* it stands in answers and in labels */
        unsigned char c = (unsigned char)base[i];
        name[i] = c > 0x20 && c < 0x7f && c != '"' && c != '\\' ? (char)c : '_';
    }
    name[n] = '\0';
    return name;
}

static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (copy != NULL)
        memcpy(copy, text, n);
    return copy;
}

static const slot *find_slot(const ipt_geo *geo, const char *path)
{
    for (size_t i = 0; geo != NULL && i < geo->count; i++) {
        if (strcmp(geo->slots[i].path, path) == 0)
            return &geo->slots[i];
    }
    return NULL;
}

static void share(slot *to, const slot *from)
{
    to->database = from->database;
    if (to->database != NULL)
        atomic_fetch_add_explicit(&to->database->refs, 1, memory_order_relaxed);
}

static ipt_err fill(slot *to, const char *path, const slot *before)
{
    geo_identity now = {0};
    to->path = copy_text(path);
    to->name = name_of(path);
    if (to->path == NULL || to->name == NULL)
        return IPT_ENOMEM;
    (void)geo_identify(path, &now);
    /* What could not be read may be readable now without being another file. */
    if (before != NULL && geo_same_identity(&now, &before->identity) && before->refusal != IPT_GEO_UNREADABLE &&
        before->refusal != IPT_GEO_NO_COPY && before->refusal != IPT_GEO_CHANGING) {
        to->identity = before->identity;
        to->refusal = before->refusal;
        share(to, before);
        return IPT_OK;
    }
    ipt_err err = geo_database_open(path, &to->identity, &to->refusal, &to->database);
    if (err == IPT_OK && to->database == NULL && before != NULL)
        share(to, before);
    return err;
}

/* Names are told apart: a source or a label that could be either of two files says nothing. */
static void make_name_unique(const ipt_geo *geo, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(geo->slots[k].name, geo->slots[i].name) == 0) {
            (void)snprintf(geo->slots[i].name + strlen(geo->slots[i].name), sizeof("-16"), "-%zu", i + 1);
            return;
        }
    }
}

static void revise(ipt_geo *geo)
{
    struct sha256_ctx h;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&h);
    for (size_t i = 0; i < geo->count; i++) {
        const slot *s = &geo->slots[i];
        const uint8_t there = s->database != NULL;
        sha256_update(&h, strlen(s->name) + 1, (const uint8_t *)s->name);
        sha256_update(&h, 1, &there);
        if (!there)
            continue;
        geo->any = true;
        geo->fields |= s->database->fields;
        sha256_update(&h, sizeof(s->database->digest), s->database->digest);
    }
    sha256_digest(&h, sizeof(digest), digest);
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(geo->revision + 2 * i, 3, "%02x", digest[i]);
}

ipt_err ipt_geo_open(const char *const *paths, size_t count, const ipt_geo *previous, ipt_geo **out)
{
    assert(count <= IPT_GEO_FILES_MAX);
    ipt_geo *geo = calloc(1, sizeof(*geo) + count * sizeof(slot));
    if (geo == NULL)
        return IPT_ENOMEM;
    atomic_init(&geo->refs, 1);
    geo->count = count;
    for (size_t i = 0; i < count; i++) {
        ipt_err err = fill(&geo->slots[i], paths[i], find_slot(previous, paths[i]));
        if (err != IPT_OK) {
            ipt_geo_unref(geo);
            return err;
        }
        make_name_unique(geo, i);
    }
    revise(geo);
    *out = geo;
    return IPT_OK;
}

ipt_geo *ipt_geo_ref(const ipt_geo *geo)
{
    ipt_geo *counted = (ipt_geo *)(uintptr_t)geo; /* only the count of a set ever changes */
    if (counted != NULL)
        atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
    return counted;
}

void ipt_geo_unref(ipt_geo *geo)
{
    if (geo == NULL || atomic_fetch_sub_explicit(&geo->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < geo->count; i++) {
        geo_database_unref(geo->slots[i].database);
        free(geo->slots[i].path);
        free(geo->slots[i].name);
    }
    free(geo);
}

bool ipt_geo_is_outdated(const ipt_geo *geo)
{
    for (size_t i = 0; geo != NULL && i < geo->count; i++) {
        const slot *s = &geo->slots[i];
        geo_identity now = {0};
        (void)geo_identify(s->path, &now);
        /* Permissions may change without the file becoming another one. */
        bool readable = s->refusal == IPT_GEO_UNREADABLE && access(s->path, R_OK) == 0;
        if (readable || s->refusal == IPT_GEO_CHANGING || !geo_same_identity(&now, &s->identity))
            return true;
    }
    return false;
}

bool ipt_geo_equal(const ipt_geo *a, const ipt_geo *b)
{
    if (ipt_geo_count(a) != ipt_geo_count(b))
        return false;
    for (size_t i = 0; i < ipt_geo_count(a); i++) {
        if (a->slots[i].refusal != b->slots[i].refusal || strcmp(a->slots[i].path, b->slots[i].path) != 0)
            return false;
    }
    return ipt_geo_count(a) == 0 || memcmp(a->revision, b->revision, sizeof(a->revision)) == 0;
}

size_t ipt_geo_count(const ipt_geo *geo)
{
    return geo == NULL ? 0 : geo->count;
}

ipt_geo_file ipt_geo_file_at(const ipt_geo *geo, size_t i)
{
    assert(i < geo->count);
    const slot *s = &geo->slots[i];
    ipt_geo_file file = {.path = s->path, .name = s->name, .refusal = s->refusal, .loaded = s->database != NULL};
    if (s->database == NULL)
        return file;
    file.type = s->database->type;
    file.attribution = geo_attribution(s->database->type);
    file.built = s->database->built;
    file.bytes = s->database->bytes;
    file.fields = s->database->fields;
    file.ipv4_only = s->database->ipv4_only;
    return file;
}

uint64_t ipt_geo_fields(const ipt_geo *geo)
{
    return geo == NULL ? 0 : geo->fields;
}

const char *ipt_geo_revision(const ipt_geo *geo)
{
    return geo == NULL || !geo->any ? NULL : geo->revision;
}

void ipt_geo_lookup(const ipt_geo *geo, ipt_addr addr, uint64_t wanted, ipt_geo_facts *out)
{
    out->present = 0;
    out->not_covered = 0;
    out->embedded = false;
    out->addr = addr;
    bool v4 = ipt_addr_is_v4(addr);
    for (size_t i = 0; geo != NULL && i < geo->count; i++) {
        const geo_database *database = geo->slots[i].database;
        if (database == NULL || (database->fields & wanted & ~out->present) == 0)
            continue;
        if (database->ipv4_only && !v4)
            out->not_covered |= UINT32_C(1) << i;
        else /* a complaint of libmaxminddb is no value: the file was checked and probed */
            (void)geo_database_ask(database, addr, wanted, (uint8_t)i, out);
    }
}

bool ipt_geo_covers(const ipt_geo *geo, const ipt_geo_facts *facts, uint64_t fields)
{
    for (size_t i = 0; geo != NULL && i < geo->count; i++) {
        const geo_database *database = geo->slots[i].database;
        if (database != NULL && (database->fields & fields) != 0 && (facts->not_covered >> i & 1) == 0)
            return true;
    }
    return false;
}

size_t ipt_geo_attributions(const ipt_geo *geo, const ipt_geo_facts *facts, const char *out[IPT_GEO_FILES_MAX])
{
    uint32_t files = 0;
    size_t count = 0;
    for (uint64_t left = facts->present; left != 0; left &= left - 1)
        files |= UINT32_C(1) << facts->values[__builtin_ctzll(left)].file;
    for (; files != 0; files &= files - 1) {
        const char *text = ipt_geo_file_at(geo, (size_t)__builtin_ctz(files)).attribution;
        size_t known = 0;
        while (known < count && out[known] != text) /* of one table: the same line is the same pointer */
            known++;
        if (text != NULL && known == count)
            out[count++] = text;
    }
    return count;
}
