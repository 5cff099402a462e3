/* One file, from its path to something that can be asked: copied, checked, opened, its plan made, and tried. */
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>

#include "geo_priv.h"

static void plan_group(geo_step *step, const geo_group *group, uint16_t met)
{
    size_t n = 0;
    step->path[n++] = group->key;
    if (group->first_item)
        step->path[n++] = "0";
    for (unsigned i = 0; i < group->leaf_count; i++) {
        if ((met >> i & 1) == 0)
            continue;
        step->leaves[step->leaf_count++] = &group->leaves[i];
        step->fields |= UINT64_C(1) << group->leaves[i].field;
    }
}

static geo_database *plan(const geo_survey *survey)
{
    size_t count;
    const geo_group *groups = geo_schema(&count);
    geo_database *database = calloc(1, sizeof(*database) + count * sizeof(geo_step));
    if (database == NULL)
        return NULL;
    atomic_init(&database->refs, 1);
    for (size_t i = 0; i < count; i++) {
        if (survey->met[i] == 0)
            continue;
        geo_step *step = &database->steps[database->step_count++];
        plan_group(step, &groups[i], survey->met[i]);
        database->fields |= step->fields;
    }
    return database;
}

/* libmaxminddb must have read the same file as we did: what was checked is what is served. */
static bool agrees(const MMDB_s *mmdb, const geo_copy *copy, const geo_layout *layout)
{
    return mmdb->file_size == (ssize_t)copy->n && mmdb->metadata.node_count == layout->node_count &&
           mmdb->metadata.record_size == layout->record_size && mmdb->metadata.ip_version == layout->ip_version &&
           mmdb->data_section - mmdb->file_content == layout->data.p - copy->p;
}

static bool open_copy(geo_database *database, const geo_copy *copy, const geo_layout *layout)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", copy->fd);
    if (MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb) != MMDB_SUCCESS)
        return false;
    if (agrees(&database->mmdb, copy, layout))
        return true;
    MMDB_close(&database->mmdb);
    return false;
}

/* The corners of both families, and addresses spread over them. */
static bool probe(const geo_database *database)
{
    static const ipt_addr corners[] = {{0, 0},
                                       {0, 1},
                                       {UINT64_MAX, UINT64_MAX},
                                       {UINT64_C(0x2001486048600000), 0x8888},
                                       {UINT64_C(0x2002080808080000), 0},
                                       {UINT64_C(0x2001000000000000), 0},
                                       {0, UINT64_C(0xffff00000000)},
                                       {0, UINT64_C(0xffffffffffff)},
                                       {0, UINT64_C(0xffff08080808)}};
    ipt_geo_facts facts = {0};
    for (size_t i = 0; i < IPT_COUNT(corners); i++) {
        if (database->ipv4_only && !ipt_addr_is_v4(corners[i]))
            continue;
        facts.present = 0;
        if (!geo_database_ask(database, corners[i], IPT_GEO_ALL, 0, &facts))
            return false;
    }
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < 256; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bool v4 = database->ipv4_only || i % 2 == 0;
        ipt_addr addr =
            v4 ? ipt_addr_from_v4((uint32_t)(random >> 32)) : (ipt_addr){UINT64_C(1) << 61 | random >> 6, random};
        facts.present = 0;
        if (!geo_database_ask(database, addr, IPT_GEO_ALL, 0, &facts))
            return false;
    }
    return true;
}

static void digest(const geo_copy *copy, uint8_t out[32])
{
    struct sha256_ctx h;
    sha256_init(&h);
    sha256_update(&h, copy->n, copy->p);
    sha256_digest(&h, 32, out);
}

static ipt_err open_checked(const geo_copy *copy, const geo_layout *layout, const geo_survey *survey,
                            ipt_geo_refusal *refusal, geo_database **out)
{
    geo_database *database = plan(survey);
    if (database == NULL)
        return IPT_ENOMEM;
    database->bytes = copy->n;
    database->built = layout->built;
    memcpy(database->type, layout->type, sizeof(database->type));
    database->ipv4_only = layout->ip_version == 4;
    database->is_clean = layout->is_clean;
    digest(copy, database->digest);
    if (database->fields == 0)
        *refusal = IPT_GEO_NO_FIELDS;
    else if (!open_copy(database, copy, layout))
        *refusal = IPT_GEO_BAD_METADATA;
    else if (probe(database)) {
        *refusal = IPT_GEO_TAKEN;
        *out = database;
        return IPT_OK;
    } else {
        *refusal = IPT_GEO_BAD_TREE;
        MMDB_close(&database->mmdb);
    }
    free(database);
    return IPT_OK;
}

ipt_err geo_database_open(const char *path, geo_identity *identity, ipt_geo_refusal *refusal, geo_database **out)
{
    geo_copy copy = {.fd = -1};
    geo_layout layout;
    geo_survey survey;
    *refusal = geo_copy_open(path, identity, &copy);
    if (*refusal == IPT_GEO_TAKEN)
        *refusal = geo_verify(&copy, &layout, &survey);
    ipt_err err = IPT_OK;
    if (*refusal == IPT_GEO_TAKEN)
        err = open_checked(&copy, &layout, &survey, refusal, out);
    geo_copy_close(&copy);
    return err;
}

void geo_database_unref(geo_database *database)
{
    if (database == NULL || atomic_fetch_sub_explicit(&database->refs, 1, memory_order_acq_rel) != 1)
        return;
    MMDB_close(&database->mmdb);
    free(database);
}
