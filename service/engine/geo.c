/* The databases of the view in force: opened with a configuration, and watched. Files are looked at once a second
 * rather than by inotify: that sees a rename, a link that now leads elsewhere and a network's file system alike. */
#include "engine_priv.h"

ipt_err ipt_engine_open_geo(const ipt_config *config, const ipt_geo *previous, ipt_diag *diag, ipt_geo **out)
{
    ipt_geo *geo = NULL;
    ipt_err err = IPT_OK;
    if (config->geo_file_count != 0)
        err = ipt_geo_open(config->geo_files, config->geo_file_count, previous, &geo);
    if (err != IPT_OK)
        return err;
    ipt_view_check_geo(config, geo, diag);
    if (diag->errors != 0) {
        ipt_geo_unref(geo);
        return IPT_ECONFIG;
    }
    *out = geo;
    return IPT_OK;
}

static void log_file(ipt_engine *engine, const ipt_geo_file *file)
{
    ipt_log_line line;
    bool good = file->refusal == IPT_GEO_TAKEN;
    ipt_log_begin(&line, engine->log, good ? IPT_LOG_INFO : IPT_LOG_WARNING,
                  good           ? "geo file taken over"
                  : file->loaded ? "geo file refused, the copy of the one before serves on"
                                 : "geo file refused");
    ipt_log_str(&line, "file", ipt_span_from(file->path));
    if (good) {
        char built[IPT_CLOCK_TEXT];
        ipt_clock_format(file->built, built);
        ipt_log_str(&line, "type", ipt_span_from(file->type));
        ipt_log_str(&line, "built", ipt_span_from(built));
        ipt_log_num(&line, "bytes", (int64_t)file->bytes);
    } else
        ipt_log_str(&line, "detail", ipt_span_from(ipt_geo_refusal_text(file->refusal)));
    ipt_log_end(&line);
}

/* A file that was replaced by one of another kind may leave a rule without an answer; that is then unknown, and said.
 */
static void log_rules(ipt_engine *engine, const ipt_config *config, const ipt_geo *geo)
{
    ipt_diag diag;
    if (ipt_diag_init(&diag) != IPT_OK)
        return;
    ipt_view_check_geo(config, geo, &diag);
    for (const ipt_diag_item *item = diag.first; item != NULL; item = item->next) {
        if (item->severity == IPT_ERROR)
            ipt_log_note(engine->log, IPT_LOG_ERROR, "rule without an answer", "detail", item->text);
    }
    ipt_diag_done(&diag);
}

static ipt_err publish(ipt_engine *engine, const ipt_geo *geo)
{
    ipt_auto(ipt_view) *view = NULL;
    ipt_generation *generation = NULL;
    const ipt_generation *old = ipt_engine_acquire(engine);
    ipt_err err = ipt_view_refresh(old->view, ipt_clock_now(&engine->clock), &view);
    ipt_engine_release(engine, old);
    if (err != IPT_OK)
        return err;
    ipt_view_set_geo(view, geo);
    err = engine_generation_new(engine, &view, &generation);
    if (err != IPT_OK)
        return err;
    const ipt_view *fresh = generation->view; /* nobody else publishes, so that it stays for now */
    ipt_slot_publish_take(&engine->slot, generation);
    log_rules(engine, fresh->config, geo);
    engine_log_view(engine, fresh, "geo files changed");
    return IPT_OK;
}

/* Paths come from the set in force, so that nothing of the configuration has to be held while a file is read. */
static ipt_err open_again(const ipt_geo *geo, ipt_geo **out)
{
    const char *paths[IPT_GEO_FILES_MAX];
    for (size_t i = 0; i < ipt_geo_count(geo); i++)
        paths[i] = ipt_geo_file_at(geo, i).path;
    return ipt_geo_open(paths, ipt_geo_count(geo), geo, out);
}

static bool is_same_file(const ipt_geo_file *a, const ipt_geo_file *b)
{
    return a->refusal == b->refusal && a->loaded == b->loaded && a->built == b->built && a->bytes == b->bytes;
}

void engine_geo_poll(ipt_engine *engine)
{
    ipt_geo *fresh = NULL;
    if (!ipt_geo_is_outdated(engine->geo))
        return;
    ipt_err err = open_again(engine->geo, &fresh);
    if (err == IPT_OK && !ipt_geo_equal(engine->geo, fresh)) {
        for (size_t i = 0; i < ipt_geo_count(fresh); i++) {
            ipt_geo_file before = ipt_geo_file_at(engine->geo, i), now = ipt_geo_file_at(fresh, i);
            if (!is_same_file(&before, &now))
                log_file(engine, &now);
        }
        err = publish(engine, fresh);
    }
    if (err != IPT_OK) {
        ipt_log_note(engine->log, IPT_LOG_ERROR, "geo files could not be renewed", "fault", ipt_err_name(err));
        ipt_geo_unref(fresh);
        return;
    }
    ipt_geo_unref(engine->geo);
    engine->geo = fresh;
}
