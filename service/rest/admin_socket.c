/* Where the socket of admin goes when the configuration does not say. */
#include "rest_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that is there, or can be made, and that we may write into. */
static bool usable(const char *directory)
{
    return (mkdir(directory, 0750) == 0 || errno == EEXIST) && access(directory, W_OK | X_OK) == 0;
}

ipt_listener_spec rest_admin_default(const ipt_config *config, char path[IPT_LISTENER_PATH_MAX])
{
    ipt_listener_spec spec = config->admin;
    char directory[IPT_LISTENER_PATH_MAX - sizeof("/admin.sock") + 1] = "/run/iptrustd";
    bool found = usable(directory);
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (!found && runtime != NULL && runtime[0] == '/') {
        int n = snprintf(directory, sizeof(directory), "%s/iptrustd", runtime);
        found = n > 0 && (size_t)n < sizeof(directory) && usable(directory);
    }
    if (!found && config->state_dir != NULL) {
        int n = snprintf(directory, sizeof(directory), "%s", config->state_dir);
        found = n > 0 && (size_t)n < sizeof(directory) && access(directory, W_OK | X_OK) == 0;
    }
    spec.kind = found ? IPT_LISTEN_UNIX : IPT_LISTEN_OFF;
    spec.mode = 0600;
    snprintf(path, IPT_LISTENER_PATH_MAX, "%s/admin.sock", directory);
    spec.path = path;
    return spec;
}
