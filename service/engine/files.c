/* Configuration and list files are read again when they change. */
#include "engine_priv.h"

#include <stdlib.h>

static void on_change(void *context)
{
    ipt_engine *engine = context;
    ipt_log_note(engine->log, IPT_LOG_INFO, "a file has changed, reloading", NULL, NULL);
    ipt_engine_reload(engine);
}

/* Without inotify, or with too many files, the daemon serves all the same and says so. */
static void say_off(ipt_engine *engine, ipt_err err)
{
    ipt_log_note(engine->log, IPT_LOG_WARNING, "files are not watched: reload by SIGHUP", "fault", ipt_err_name(err));
}

void engine_files_open(ipt_engine *engine)
{
    ipt_err err = ipt_watch_new(on_change, engine, &engine->watch);
    if (err != IPT_OK)
        say_off(engine, err);
    else
        engine_files_look(engine);
}

void engine_files_look(ipt_engine *engine)
{
    if (engine->watch == NULL)
        return;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    const ipt_config *config = generation->view->config;
    const char **paths = calloc(config->list_count + 1, sizeof(*paths));
    size_t count = 0;
    if (engine->config_path != NULL && paths != NULL)
        paths[count++] = engine->config_path;
    for (size_t i = 0; i < config->list_count && paths != NULL; i++)
        if (config->lists[i].file != NULL)
            paths[count++] = config->lists[i].file;
    ipt_err err = paths == NULL ? IPT_ENOMEM : ipt_watch_set(engine->watch, paths, count);
    ipt_engine_release(engine, generation);
    free(paths);
    if (err != IPT_OK)
        say_off(engine, err);
}

void engine_files_close(ipt_engine *engine)
{
    ipt_watch_free(engine->watch);
    engine->watch = NULL;
}
