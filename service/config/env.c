/* IPTRUST_* variables: they override the file, because that is what a container can set. An empty one is as good as
 * none. */
#include "bind.h"
#include "check.h"
#include "value.h"
#include "iptrust/base/show.h"

static const char *find_variable(char *const *environment, const char *name)
{
    size_t n = strlen(name);
    for (char *const *entry = environment; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, name, n) == 0 && (*entry)[n] == '=' && (*entry)[n + 1] != '\0')
            return *entry + n + 1;
    }
    return NULL;
}

/* The value of a variable that fits its row; NULL when it is not set or does not. */
static const char *take_variable(ipt_bind *b, const char *name, const char *path)
{
    char expected[320];
    ipt_shown shown;
    const char *value = find_variable(b->environment, name);
    const ipt_key *key = ipt_schema_find(path);
    if (value == NULL || key == NULL)
        return NULL;
    if (!ipt_check_text(key, ipt_span_from(value), expected, sizeof(expected))) {
        ipt_diag_add(b->diag, IPT_ERROR, (ipt_place){0}, "%s: expected %s, found \"%s\"", name, expected,
                     ipt_show(ipt_span_from(value), &shown));
        return NULL;
    }
    return value;
}

static void override_listener(ipt_bind *b, const char *name, const char *path, ipt_listener_spec *out)
{
    const char *value = take_variable(b, name, path);
    if (value == NULL)
        return;
    const char *copy = ipt_bind_text(b, ipt_span_from(value));
    if (copy == NULL)
        return;
    ipt_listener_spec fresh = *out;
    fresh.path = NULL;
    if (!ipt_value_listen(ipt_span_from(copy), &fresh))
        return;
    fresh.text = copy;
    fresh.stated = true;
    *out = fresh;
}

static void override_word(ipt_bind *b, const char *name, const char *path, size_t *out)
{
    const char *value = take_variable(b, name, path);
    const ipt_key *key = ipt_schema_find(path);
    if (value == NULL || key == NULL)
        return;
    ipt_span words = ipt_span_from(key->range), word;
    for (size_t i = 0; ipt_words_next(&words, &word); i++) {
        if (ipt_span_equal(word, ipt_span_from(value)))
            *out = i;
    }
}

void ipt_bind_environment(ipt_bind *b)
{
    ipt_config *c = b->config;
    override_listener(b, "IPTRUST_HTTP_LISTEN", "http.listen", &c->http);
    override_listener(b, "IPTRUST_GRPC_LISTEN", "grpc.listen", &c->grpc);
    override_listener(b, "IPTRUST_HEALTH_LISTEN", "health.listen", &c->health);
    override_listener(b, "IPTRUST_ADMIN_LISTEN", "admin.listen", &c->admin);

    const char *state_dir = take_variable(b, "IPTRUST_STATE_DIR", "state_dir");
    if (state_dir != NULL)
        c->state_dir = ipt_bind_join(b, ipt_span_from(state_dir));

    size_t level = c->log_level, format = c->log_format;
    override_word(b, "IPTRUST_LOG_LEVEL", "log.level", &level);
    override_word(b, "IPTRUST_LOG_FORMAT", "log.format", &format);
    c->log_level = (ipt_log_level)level;
    c->log_format = (ipt_log_format)format;
}
