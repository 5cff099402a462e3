/* The parts of iptrustd's start and end. */
#ifndef IPTRUST_DAEMON_PRIV_H
#define IPTRUST_DAEMON_PRIV_H

#include <stdatomic.h>

#include "iptrust/rest/rest.h"
#include "iptrust/transport/transport.h"

typedef enum daemon_task {
    DAEMON_RUN = 0,
    DAEMON_CHECK,
    DAEMON_PRINT,
    DAEMON_VERSION,
    DAEMON_HELP,
    DAEMON_USAGE, /* wrong usage: complaint says what */
} daemon_task;

enum { DAEMON_OVERRIDES = 4 };

typedef struct daemon_options {
    daemon_task task;
    const char *config_path;
    const char *listen[DAEMON_OVERRIDES]; /* --http, --grpc, --health, --admin; NULL when absent */
    char complaint[160];
} daemon_options;

daemon_options daemon_options_parse(int argc, char *const *argv);
const char *daemon_help(void);

/* environment with the flags in front, so that they win over variables, as these win over the file. NULL without
 * memory; free() the one block. */
char **daemon_environment(const daemon_options *options, char *const *environment);

/* The configuration sees a flag as a variable; what it has to say of one is said of the flag. */
void daemon_blame_flags(const daemon_options *options, ipt_diag *diag);

/* sd_notify(3) without its library: one datagram to NOTIFY_SOCKET; nothing when it is not set. */
void daemon_notify(const char *state);

/* The one who started us, when it wants to know how we are (systemd's Type=notify). Of the main thread, which gives it
 * a turn when it asks to have one. */
typedef struct daemon_manager {
    ipt_engine *engine;
    bool listens;        /* there is a NOTIFY_SOCKET */
    int64_t watchdog_ms; /* how often it wants a sign of life; 0: it does not */
    uint64_t feed_at, look_at;
    char status[192];    /* as last told */
    _Atomic bool wanted; /* a reload that the engine could not begin at once */
} daemon_manager;

void daemon_manager_init(daemon_manager *manager, ipt_engine *engine);
void daemon_manager_ready(daemon_manager *manager);
void daemon_manager_stopping(daemon_manager *manager);
void daemon_manager_reload(daemon_manager *manager); /* reloads, and says when it begins and when it has ended */
/* Sign of life and status, when they are due. Milliseconds until it wants the next turn. */
int64_t daemon_manager_turn(daemon_manager *manager);

/* False: IPTRUST_REFRESH=off. */
bool daemon_refreshes(void);

/* What the daemon says when it has started. */
void daemon_announce(ipt_log *log, const ipt_view *view, const char *config_path);
void daemon_hint(ipt_log *log, const char *http_address);

/* Room for as many descriptors as the limits of the configuration need; false with a log line when there is hardly any.
 */
IPT_MUST_USE bool daemon_raise_descriptors(ipt_log *log, uint32_t connections);

#endif
