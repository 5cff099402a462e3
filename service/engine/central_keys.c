/* Keys of `central` and `serve_central` as they are configured: looked at by a start, a reload and whoever checks a
 * configuration, who needs no engine for it. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine_priv.h"

size_t engine_central_keys(const ipt_central_spec *spec, ipt_public_key keys[IPT_CENTRAL_KEYS_MAX], ipt_diag *diag)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->public_key_count; i++) {
        ipt_shown shown;
        if (count == IPT_CENTRAL_KEYS_MAX) {
            if (diag != NULL)
                ipt_diag_add(diag, IPT_ERROR, spec->place, "more than %d keys", IPT_CENTRAL_KEYS_MAX);
            break;
        }
        if (ipt_public_key_parse(ipt_span_from(spec->public_keys[i]), &keys[count]))
            count++;
        else if (diag != NULL)
            ipt_diag_add(diag, IPT_ERROR, spec->place,
                         "\"%s\" is no Ed25519 key: expected the base64 that `iptrust bundle keygen` prints",
                         ipt_show(ipt_span_from(spec->public_keys[i]), &shown));
    }
    return count;
}

bool engine_served_key(const ipt_config *config, ipt_diag *diag, ipt_signing_key *out)
{
    char pem[1024];
    struct stat st;
    int fd = open(config->signing_key_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, pem, sizeof(pem)) : -1;
    bool open_to_all = n >= 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0;
    if (fd >= 0)
        (void)close(fd);
    bool ok = n > 0 && ipt_signing_key_parse((ipt_span){pem, (size_t)n}, out);
    explicit_bzero(pem, sizeof(pem));
    if (!ok)
        ipt_diag_add(diag, IPT_ERROR, config->signing_key_place, "%s %s", config->signing_key_file,
                     n < 0 ? "cannot be read" : "is no Ed25519 key in PEM");
    else if (open_to_all)
        ipt_diag_add(diag, IPT_WARNING, config->signing_key_place, "%s can be read by every user of this machine",
                     config->signing_key_file);
    return ok;
}

ipt_err ipt_engine_check_central(const ipt_config *config, ipt_diag *diag)
{
    ipt_public_key keys[IPT_CENTRAL_KEYS_MAX];
    ipt_signing_key key;
    size_t errors = diag->errors;
    if (config->central != NULL)
        (void)engine_central_keys(config->central, keys, diag);
    if (config->signing_key_file != NULL && engine_served_key(config, diag, &key))
        explicit_bzero(&key, sizeof(key));
    return diag->errors == errors ? IPT_OK : IPT_ECONFIG;
}
