/* Answers of a daemon, by libcurl. */
#include "cli_priv.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MAX (256U << 20)

struct ipt_remote {
    CURL *curl;
    const char *server; /* as given */
    ipt_buf base;       /* with NUL: "http://127.0.0.1:8080" */
    ipt_buf token;      /* with NUL: "Authorization: Bearer ..."; empty without one */
};

void ipt_remote_close(ipt_remote *remote)
{
    if (remote == NULL)
        return;
    curl_easy_cleanup(remote->curl);
    ipt_buf_done(&remote->base);
    ipt_buf_done(&remote->token);
    free(remote);
    curl_global_cleanup();
}

static bool read_token(ipt_remote *remote, const char *path)
{
    ipt_auto(ipt_buf) file = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && ipt_input_read(fd, &file);

    if (fd >= 0)
        (void)close(fd);
    if (!ok) {
        ipt_complain("cannot read the token file %s", path);
        return false;
    }
    ipt_span token = ipt_buf_span(&file);
    if (token.n != 0 && token.p[token.n - 1] == '\n')
        token.n--;
    ipt_buf_adds(&remote->token, "Authorization: Bearer ");
    ipt_buf_add(&remote->token, token);
    ipt_buf_addc(&remote->token, '\0');
    return true;
}

static bool set_server(ipt_remote *remote, const char *server)
{
    if (strncmp(server, "unix:/", 6) == 0) {
        ipt_buf_adds(&remote->base, "http://localhost");
        if (curl_easy_setopt(remote->curl, CURLOPT_UNIX_SOCKET_PATH, server + 5) != CURLE_OK)
            return false;
    } else if (strncmp(server, "http://", 7) == 0 || strncmp(server, "https://", 8) == 0) {
        ipt_span base = ipt_span_from(server);
        while (base.n != 0 && base.p[base.n - 1] == '/')
            base.n--;
        ipt_buf_add(&remote->base, base);
    } else {
        ipt_complain("--server takes http://HOST:PORT or unix:/PATH, not `%s`", server);
        return false;
    }
    return !remote->base.failed;
}

bool ipt_remote_open(const char *server, const char *token_file, ipt_remote **out)
{
    ipt_auto(ipt_remote) *remote = calloc(1, sizeof(*remote));

    if (remote == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (remote->curl = curl_easy_init()) == NULL) {
        ipt_complain("no memory");
        return false;
    }
    remote->server = server;
    if (!set_server(remote, server) || (token_file != NULL && !read_token(remote, token_file)))
        return false;
    /* A daemon stands beside us: no proxy of the environment, no redirects, and no waiting for ever. */
    (void)curl_easy_setopt(remote->curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(remote->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(remote->curl, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
    (void)curl_easy_setopt(remote->curl, CURLOPT_TIMEOUT_MS, 30000L);
    (void)curl_easy_setopt(remote->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(remote->curl, CURLOPT_USERAGENT, "iptrust/" IPTRUST_VERSION);
    *out = remote;
    remote = NULL;
    return true;
}

static size_t receive(char *bytes, size_t size, size_t count, void *to)
{
    ipt_buf *out = to;
    if (out->n + size * count > ANSWER_MAX)
        return 0;
    ipt_buf_add(out, (ipt_span){bytes, size * count});
    return out->failed ? 0 : size * count;
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool set_call(ipt_remote *remote, const ipt_span *body, const char *accept, struct curl_slist **lines)
{
    char line[120];

    (void)snprintf(line, sizeof(line), "Accept: %s", accept == NULL ? "application/json" : accept);
    bool ok = add_line(lines, line) && add_line(lines, "Expect:"); /* no 100-continue: the bodies are small */
    if (remote->token.n != 0)
        ok = ok && add_line(lines, remote->token.p);
    if (body == NULL) {
        ok = ok && curl_easy_setopt(remote->curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    } else {
        ok = ok && add_line(lines, "Content-Type: application/json") &&
             curl_easy_setopt(remote->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n) == CURLE_OK &&
             curl_easy_setopt(remote->curl, CURLOPT_COPYPOSTFIELDS, body->p) == CURLE_OK;
    }
    return ok && curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, *lines) == CURLE_OK;
}

bool ipt_remote_call(ipt_remote *remote, const char *path, const ipt_span *body, const char *accept, ipt_buf *out,
                     long *status)
{
    struct curl_slist *lines = NULL;
    ipt_auto(ipt_buf) url = {0};

    ipt_buf_add(&url, ipt_buf_span(&remote->base));
    ipt_buf_adds(&url, path);
    ipt_buf_addc(&url, '\0');
    bool ok = !url.failed && set_call(remote, body, accept, &lines) &&
              curl_easy_setopt(remote->curl, CURLOPT_URL, url.p) == CURLE_OK &&
              curl_easy_setopt(remote->curl, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
              curl_easy_setopt(remote->curl, CURLOPT_WRITEDATA, out) == CURLE_OK;
    CURLcode result = ok ? curl_easy_perform(remote->curl) : CURLE_OUT_OF_MEMORY;
    if (result == CURLE_OK)
        (void)curl_easy_getinfo(remote->curl, CURLINFO_RESPONSE_CODE, status);
    else
        ipt_complain("no answer from %s: %s; is iptrustd running there?", remote->server, curl_easy_strerror(result));
    curl_slist_free_all(lines);
    return result == CURLE_OK;
}
