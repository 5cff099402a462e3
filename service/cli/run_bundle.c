/* iptrust bundle keygen|sign|verify|show: central documents, by hand or in a pipeline. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli_priv.h"
#include "iptrust/central/bundle.h"

/* The file that an argument names, `-` or none: standard input. */
static bool read_file(const char *path, ipt_buf *out)
{
    bool input = path == NULL || strcmp(path, "-") == 0;
    int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && ipt_input_read(fd, out);
    if (!ok)
        ipt_complain("cannot read %s: %s", input ? "standard input" : path, strerror(errno));
    if (!input && fd >= 0)
        (void)close(fd);
    return ok;
}

static bool read_signing_key(const char *path, ipt_signing_key *out)
{
    ipt_auto(ipt_buf) pem = {0};
    if (!read_file(path, &pem))
        return false;
    bool ok = ipt_signing_key_parse(ipt_buf_span(&pem), out);
    if (!ok)
        ipt_complain("%s is no Ed25519 key in PEM; `iptrust bundle keygen --key FILE` makes one", path);
    explicit_bzero(pem.p, pem.n);
    return ok;
}

/* ---- keygen ---- */

static bool write_key(const char *path, const ipt_signing_key *key)
{
    ipt_auto(ipt_buf) pem = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        ipt_complain("cannot make %s: %s", path, strerror(errno));
        return false;
    }
    ipt_signing_key_format(&pem, key);
    bool ok = !pem.failed && write(fd, pem.p, pem.n) == (ssize_t)pem.n && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (!ok)
        ipt_complain("cannot write %s: %s", path, strerror(errno));
    if (pem.p != NULL)
        explicit_bzero(pem.p, pem.n);
    return ok;
}

static ipt_exit keygen(const ipt_options *options)
{
    uint8_t seed[32];
    char text[IPT_PUBLIC_KEY_TEXT];
    ipt_signing_key key;
    if (options->key == NULL) {
        ipt_complain("keygen needs the file to write: --key FILE");
        return IPT_EXIT_USAGE;
    }
    if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        ipt_complain("no random numbers: %s", strerror(errno));
        return IPT_EXIT_UNANSWERED;
    }
    ipt_signing_key_from_seed(seed, &key);
    explicit_bzero(seed, sizeof(seed));
    ipt_public_key_format(&key.public_key, text);
    bool ok = write_key(options->key, &key);
    explicit_bzero(&key, sizeof(key));
    if (!ok)
        return IPT_EXIT_UNANSWERED;
    printf("%s\n", text); /* for `public_keys` */
    return IPT_EXIT_ANSWERED;
}

/* ---- sign ---- */

static bool read_serial(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (text == NULL || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    unsigned long long serial = strtoull(text, &end, 10);
    *out = serial;
    return errno == 0 && serial != 0;
}

static bool read_head(const ipt_options *options, ipt_bundle *out)
{
    if ((options->key == NULL) != options->is_unsigned) {
        ipt_complain("sign needs the key, --key FILE, or --unsigned for a bundle without signature");
        return false;
    }
    if (!read_serial(options->serial, &out->serial)) {
        ipt_complain("sign needs a number above that of the document before: --serial N");
        return false;
    }
    out->has_expires = options->expires != NULL;
    if (out->has_expires && !ipt_bundle_time_parse(ipt_span_from(options->expires), &out->expires)) {
        ipt_complain("--expires takes a time such as 2026-12-31T00:00:00Z");
        return false;
    }
    return true;
}

static ipt_exit sign(const ipt_options *options, const char *path)
{
    ipt_auto(ipt_buf) document = {0};
    ipt_auto(ipt_buf) out = {0};
    ipt_bundle bundle = {0};
    ipt_signing_key key;
    const char *why = "";
    if (!read_head(options, &bundle))
        return IPT_EXIT_USAGE;
    if (!read_file(path, &document) || (options->key != NULL && !read_signing_key(options->key, &key)))
        return IPT_EXIT_UNANSWERED;
    bundle.document = ipt_buf_span(&document);
    ipt_bundle_write(&out, &bundle, options->key == NULL ? NULL : &key);
    explicit_bzero(&key, sizeof(key));
    /* Whoever signs hears first what every daemon would say. */
    if (out.failed || ipt_bundle_parse(ipt_buf_span(&out), &bundle, &why) != IPT_BUNDLE_OK) {
        ipt_complain("this cannot be a bundle: %s", out.failed ? "no memory" : why);
        return IPT_EXIT_UNANSWERED;
    }
    return ipt_print(ipt_buf_span(&out)) ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

/* ---- verify, show ---- */

static bool open_bundle(const char *path, ipt_buf *text, ipt_bundle *out)
{
    const char *why = "";
    if (!read_file(path, text))
        return false;
    if (ipt_bundle_parse(ipt_buf_span(text), out, &why) == IPT_BUNDLE_OK)
        return true;
    ipt_complain("this is no bundle: %s", why);
    return false;
}

static ipt_exit verify(const ipt_options *options, const char *path)
{
    ipt_auto(ipt_buf) text = {0};
    ipt_bundle bundle;
    ipt_public_key key;
    if (options->public_key == NULL || !ipt_public_key_parse(ipt_span_from(options->public_key), &key)) {
        ipt_complain("verify needs --public-key KEY, base64 as `iptrust bundle keygen` prints it");
        return IPT_EXIT_USAGE;
    }
    if (!open_bundle(path, &text, &bundle))
        return IPT_EXIT_UNANSWERED;
    const char *wrong = !bundle.is_signed                                            ? "it is not signed"
                        : !ipt_bundle_verify(&bundle, &key, 1)                       ? "another key has signed it"
                        : bundle.has_expires && bundle.expires < (int64_t)time(NULL) ? "it has expired"
                                                                                     : NULL;
    if (wrong != NULL) {
        ipt_complain("not good: %s", wrong);
        return IPT_EXIT_UNANSWERED;
    }
    printf("good: serial %llu\n", (unsigned long long)bundle.serial);
    return IPT_EXIT_ANSWERED;
}

static ipt_exit show(const char *path)
{
    ipt_auto(ipt_buf) text = {0};
    ipt_bundle bundle;
    char expires[IPT_BUNDLE_TIME] = "never";
    if (!open_bundle(path, &text, &bundle))
        return IPT_EXIT_UNANSWERED;
    if (bundle.has_expires)
        ipt_bundle_time_format(bundle.expires, expires);
    printf("# serial %llu, %s, expires %s\n", (unsigned long long)bundle.serial,
           bundle.is_signed ? "signed (not verified here)" : "not signed", expires);
    return ipt_print(bundle.document) ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

ipt_exit ipt_run_bundle(const ipt_options *options)
{
    const char *what = options->arg_count == 0 ? "" : options->args[0];
    const char *path = options->arg_count == 2 ? options->args[1] : NULL;
    if (options->arg_count <= 2) {
        if (strcmp(what, "keygen") == 0 && path == NULL)
            return keygen(options);
        if (strcmp(what, "sign") == 0)
            return sign(options, path);
        if (strcmp(what, "verify") == 0)
            return verify(options, path);
        if (strcmp(what, "show") == 0)
            return show(path);
    }
    ipt_complain("bundle takes keygen, sign, verify or show and at most one file; see `iptrust bundle --help`");
    return IPT_EXIT_USAGE;
}
