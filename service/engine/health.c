/* Alive and ready, from what the faces report and the view says. */
#include "iptrust/engine/health.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine_priv.h"

ipt_beat *ipt_engine_add_beat(ipt_engine *engine, const char *name)
{
    ipt_beat *beat = calloc(1, sizeof(*beat));
    if (beat == NULL)
        return NULL;
    snprintf(beat->name, sizeof(beat->name), "%s", name);
    ipt_beat_touch(beat, ipt_clock_ms());
    ipt_beat **end = &engine->beats;
    while (*end != NULL)
        end = &(*end)->next;
    *end = beat;
    return beat;
}

void engine_beats_free(ipt_engine *engine)
{
    while (engine->beats != NULL) {
        ipt_beat *next = engine->beats->next;
        free(engine->beats);
        engine->beats = next;
    }
}

const ipt_beat *ipt_engine_next_stuck(const ipt_engine *engine, const ipt_beat *after)
{
    uint64_t now = ipt_clock_ms();
    for (const ipt_beat *beat = after == NULL ? engine->beats : after->next; beat != NULL; beat = beat->next) {
        uint64_t at = atomic_load_explicit(&beat->at, memory_order_relaxed);
        if (now > at && now - at >= IPT_BEAT_STUCK_MS)
            return beat;
    }
    return NULL;
}

void ipt_engine_drain(ipt_engine *engine)
{
    atomic_store(&engine->draining, true);
}

bool ipt_engine_is_draining(const ipt_engine *engine)
{
    return atomic_load_explicit(&engine->draining, memory_order_relaxed);
}

void ipt_engine_listener_died(ipt_engine *engine)
{
    atomic_store(&engine->listener_died, true);
}

bool ipt_engine_has_dead_listener(const ipt_engine *engine)
{
    return atomic_load_explicit(&engine->listener_died, memory_order_relaxed);
}

bool ipt_engine_list_holds_up(const ipt_view *view, size_t list)
{
    const ipt_config *config = view->config;
    if (view->freshness[list] == IPT_FRESH && !view->lists[list].spec->failed)
        return false;
    for (size_t i = 0; i < config->ready_require_fresh_count; i++) {
        if (strcmp(config->ready_require_fresh[i], view->lists[list].spec->name) == 0)
            return true;
    }
    return false;
}

bool ipt_engine_is_ready(ipt_engine *engine)
{
    if (ipt_engine_is_draining(engine) || ipt_engine_has_dead_listener(engine))
        return false;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    bool ready = true;
    for (size_t i = 0; i < generation->view->list_count && ready; i++)
        ready = !ipt_engine_list_holds_up(generation->view, i);
    ipt_engine_release(engine, generation);
    return ready;
}
