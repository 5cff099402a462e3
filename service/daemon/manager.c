/* What a service manager hears of us: ready, reloading, how it goes, and that we are alive. systemd's protocol,
 * sd_notify(3) and sd_watchdog_enabled(3); without one nothing of this costs anything. */
#include "daemon_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "iptrust/engine/health.h"

enum { TURN_MS = 1000, RETRY_MS = 20, FOREVER_MS = 3600 * 1000 };

/* Half of what the manager waits for, as it asks us to; 0: it does not watch. */
static int64_t watchdog_ms(void)
{
    const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (interval == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    unsigned long long us = strtoull(interval, NULL, 10);
    return us == 0 ? 0 : us / 2000 < 1 ? 1 : us / 2000 > FOREVER_MS ? FOREVER_MS : (int64_t)(us / 2000);
}

void daemon_manager_init(daemon_manager *manager, ipt_engine *engine)
{
    *manager = (daemon_manager){.engine = engine, .watchdog_ms = watchdog_ms()};
    manager->listens = getenv("NOTIFY_SOCKET") != NULL;
}

/* In a moment's words, for `systemctl status`. */
static void describe(ipt_engine *engine, char *out, size_t cap)
{
    char complaints[2];
    int64_t when;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    const ipt_view *view = generation->view;
    snprintf(out, cap, "%s: %zu policies (%s), %zu lists (%s)%s",
             ipt_engine_is_draining(engine) ? "draining"
             : ipt_engine_is_ready(engine)  ? "ready"
                                            : "not ready",
             view->config->policy_count, view->policies_revision, view->list_count, view->lists_revision,
             ipt_engine_last_reload(engine, &when, complaints, sizeof(complaints))
                 ? ""
                 : "; the last reload failed, what was in force before stays");
    ipt_engine_release(engine, generation);
}

static void tell(daemon_manager *manager, const char *first)
{
    char state[sizeof(manager->status) + 64];
    describe(manager->engine, manager->status, sizeof(manager->status));
    snprintf(state, sizeof(state), "%sSTATUS=%s", first, manager->status);
    daemon_notify(state);
}

void daemon_manager_ready(daemon_manager *manager)
{
    if (manager->listens)
        tell(manager, "READY=1\n");
}

void daemon_manager_stopping(daemon_manager *manager)
{
    if (manager->listens)
        tell(manager, "STOPPING=1\n");
}

/* On the reloading thread. A failed reload ends the reloading, too: the status says that it failed. */
static void reloaded(void *context, const ipt_reload_result *result)
{
    daemon_manager *manager = context;
    (void)result;
    if (!atomic_load(&manager->wanted))
        daemon_notify("READY=1");
}

/* Somebody else's reload may be under way, which need not have read the files as they are now. */
static void ask(daemon_manager *manager)
{
    atomic_store(&manager->wanted, false);
    if (!ipt_engine_reload_wait(manager->engine, reloaded, manager))
        atomic_store(&manager->wanted, true);
}

void daemon_manager_reload(daemon_manager *manager)
{
    char state[64];
    if (!manager->listens) {
        ipt_engine_reload(manager->engine);
        return;
    }
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(ipt_clock_ns() / 1000));
    atomic_store(&manager->wanted, true);
    daemon_notify(state);
    ask(manager);
}

/* A thread that no longer turns is what a restart helps against, so the manager stops hearing of us. */
static void feed(daemon_manager *manager, uint64_t now)
{
    if (manager->watchdog_ms == 0 || now < manager->feed_at)
        return;
    manager->feed_at = now + (uint64_t)manager->watchdog_ms;
    const ipt_beat *stuck = ipt_engine_next_stuck(manager->engine, NULL);
    if (stuck == NULL)
        daemon_notify("WATCHDOG=1");
    else
        ipt_log_note(ipt_engine_log(manager->engine), IPT_LOG_ERROR, "the watchdog is not told", "stuck", stuck->name);
}

static void refresh(daemon_manager *manager, uint64_t now)
{
    char status[sizeof(manager->status)];
    if (now < manager->look_at)
        return;
    manager->look_at = now + TURN_MS;
    describe(manager->engine, status, sizeof(status));
    if (strcmp(status, manager->status) != 0)
        tell(manager, "");
}

int64_t daemon_manager_turn(daemon_manager *manager)
{
    uint64_t now = ipt_clock_ms();
    if (!manager->listens)
        return FOREVER_MS;
    feed(manager, now);
    refresh(manager, now);
    if (atomic_load(&manager->wanted)) {
        ask(manager);
        return RETRY_MS;
    }
    return manager->watchdog_ms != 0 && manager->watchdog_ms < TURN_MS ? manager->watchdog_ms : TURN_MS;
}
