/* Our own lists and policies as a bundle for others (`serve_central`): made anew when they change, with a serial that
 * rises across restarts. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_priv.h"

static const char record_name[] = "_served";

void engine_served_init(ipt_engine *engine)
{
    (void)pthread_mutex_init(&engine->served.lock, NULL);
}

void ipt_served_release(const ipt_served *served)
{
    ipt_served *mine = (ipt_served *)(uintptr_t)served;
    if (mine == NULL || atomic_fetch_sub_explicit(&mine->users, 1, memory_order_acq_rel) != 1)
        return;
    ipt_buf_done(&mine->text);
    free(mine);
}

void engine_served_done(ipt_engine *engine)
{
    engine_served *s = &engine->served;
    ipt_served_release(s->current);
    explicit_bzero(&s->key, sizeof(s->key));
    (void)pthread_mutex_destroy(&s->lock);
}

const ipt_served *ipt_engine_served(ipt_engine *engine)
{
    engine_served *s = &engine->served;
    (void)pthread_mutex_lock(&s->lock);
    ipt_served *served = s->current;
    if (served != NULL)
        atomic_fetch_add_explicit(&served->users, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&s->lock);
    return served;
}

uint64_t ipt_engine_served_number(ipt_engine *engine)
{
    return atomic_load_explicit(&engine->served.number, memory_order_relaxed);
}

void engine_served_set_key(ipt_engine *engine, const ipt_config *config, ipt_diag *diag)
{
    engine_served *s = &engine->served;
    s->has_key = config->signing_key_file != NULL && engine_served_key(config, diag, &s->key);
}

/* ---- serials ---- */

/* The record's bundle is the digest of the document that had the serial last. */
static void recall(ipt_engine *engine)
{
    engine_served *s = &engine->served;
    ipt_auto(ipt_buf) bytes = {0};
    ipt_central_record record;
    char why[IPT_STORE_WHY_MAX];
    if (s->recalled || engine->lists.store == NULL)
        return;
    s->recalled = true;
    if (ipt_store_read(engine->lists.store, record_name, &bytes, why) != IPT_STORE_OK || bytes.failed ||
        !ipt_central_record_decode(ipt_buf_span(&bytes), &record) || record.bundle.n != sizeof(s->digest) - 1)
        return;
    s->serial = record.floor;
    memcpy(s->digest, record.bundle.p, record.bundle.n);
}

static void remember(ipt_engine *engine)
{
    engine_served *s = &engine->served;
    engine_lists *lists = &engine->lists;
    ipt_auto(ipt_buf) bytes = {0};
    char why[IPT_STORE_WHY_MAX] = "";
    if (lists->store == NULL || !ipt_store_is_writer(lists->store))
        return;
    const ipt_central_record record = {
        .floor = s->serial, .taken = ipt_clock_wall(), .bundle = {s->digest, sizeof(s->digest) - 1}};
    ipt_central_record_encode(&bytes, &record);
    (void)pthread_mutex_lock(&lists->store_lock);
    bool ok = !bytes.failed && ipt_store_write(lists->store, record_name, ipt_buf_span(&bytes), why) == IPT_STORE_OK;
    (void)pthread_mutex_unlock(&lists->store_lock);
    if (!ok)
        ipt_log_note(engine->log, IPT_LOG_WARNING, "the serial of what is served could not be kept", "reason",
                     bytes.failed ? "no memory" : why);
}

/* By the clock, so that one that was lost is not used again; above the last, whatever the clock says. */
static void number_document(ipt_engine *engine, ipt_span document)
{
    engine_served *s = &engine->served;
    char digest[65];
    recall(engine);
    ipt_bundle_digest(document, digest);
    if (s->serial != 0 && memcmp(digest, s->digest, sizeof(digest)) == 0)
        return;
    int64_t now = ipt_clock_wall();
    s->serial = now > 0 && (uint64_t)now > s->serial ? (uint64_t)now : s->serial + 1;
    memcpy(s->digest, digest, sizeof(digest));
    remember(engine);
}

/* ---- */

static void swap(engine_served *s, ipt_served *fresh)
{
    (void)pthread_mutex_lock(&s->lock);
    ipt_served *old = s->current;
    s->current = fresh;
    atomic_store_explicit(&s->number, fresh == NULL ? 0 : fresh->number, memory_order_relaxed);
    (void)pthread_mutex_unlock(&s->lock);
    ipt_served_release(old);
}

void engine_served_renew(ipt_engine *engine, const ipt_config *config)
{
    engine_served *s = &engine->served;
    ipt_auto(ipt_buf) document = {0};
    if (!s->has_key) {
        swap(s, NULL);
        return;
    }
    ipt_served *fresh = calloc(1, sizeof(*fresh));
    engine_write_document(&document, config);
    if (!document.failed)
        number_document(engine, ipt_buf_span(&document));
    if (fresh != NULL && !document.failed) {
        const ipt_bundle bundle = {.serial = s->serial, .document = ipt_buf_span(&document)};
        ipt_bundle_write(&fresh->text, &bundle, &s->key);
    }
    const char *wrong = fresh == NULL || document.failed || fresh->text.failed ? "no memory"
                        : fresh->text.n > IPT_BUNDLE_MAX                       ? "it has more than 1 MiB"
                                                                               : NULL;
    if (wrong != NULL) {
        ipt_log_note(engine->log, IPT_LOG_ERROR, "the central document of now is not served, the one before stays",
                     "reason", wrong);
        if (fresh != NULL)
            ipt_buf_done(&fresh->text);
        free(fresh);
        return;
    }
    atomic_init(&fresh->users, 1);
    fresh->serial = s->serial;
    fresh->number = atomic_load_explicit(&s->number, memory_order_relaxed) + 1;
    (void)snprintf(fresh->etag, sizeof(fresh->etag), "\"%llu-%.12s\"", (unsigned long long)s->serial, s->digest);
    bool same = s->current != NULL && ipt_span_equal(ipt_buf_span(&s->current->text), ipt_buf_span(&fresh->text));
    if (same)
        ipt_served_release(fresh);
    else
        swap(s, fresh);
}
