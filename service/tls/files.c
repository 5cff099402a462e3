/* The files of a listener as generations: read together, checked, published whole, dropped with the last holder. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls_priv.h"

/* A file as stat(2) tells it; what differs in nothing of this need not be read again. */
typedef struct stamp {
    bool there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
} stamp;

struct ipt_tls_files {
    char *paths[IPT_TLS_FILES]; /* NULL: there is none */
    char **sans;                /* sans_count of them: client_sans */
    size_t sans_count;
    pthread_mutex_t lock;
    tls_pem *current;
    /* Of the one who looks. */
    uint64_t number;
    stamp seen[IPT_TLS_FILES];
    bool settled;      /* seen is judged; else the next look reads again */
    uint8_t fresh[32]; /* not settled: digest of the contents seen last */
    uint8_t wrong[32]; /* digest of the contents refused last */
};

/* ---- generations ---- */

static void pem_free(tls_pem *pem)
{
    for (unsigned i = 0; i < IPT_TLS_FILES; i++) {
        if (pem->bytes[i] != NULL)
            explicit_bzero(pem->bytes[i], pem->sizes[i]);
        free(pem->bytes[i]);
    }
    if (pem->credentials != NULL)
        gnutls_certificate_free_credentials(pem->credentials);
    free(pem);
}

/* The holder sees it immutable, the count is ours. */
static tls_pem *whole_of(const ipt_tls_pem *pem)
{
    return (tls_pem *)(uintptr_t)pem;
}

void ipt_tls_pem_release(const ipt_tls_pem *pem)
{
    if (pem != NULL && atomic_fetch_sub_explicit(&whole_of(pem)->refs, 1, memory_order_acq_rel) == 1)
        pem_free(whole_of(pem));
}

void *tls_pem_credentials(const ipt_tls_pem *pem)
{
    return whole_of(pem)->credentials;
}

const ipt_tls_pem *ipt_tls_files_acquire(ipt_tls_files *files)
{
    (void)pthread_mutex_lock(&files->lock);
    tls_pem *pem = files->current;
    atomic_fetch_add_explicit(&pem->refs, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&files->lock);
    return &pem->pem;
}

static void publish(ipt_tls_files *files, tls_pem *fresh)
{
    fresh->pem.number = ++files->number;
    (void)pthread_mutex_lock(&files->lock);
    tls_pem *old = files->current;
    files->current = fresh;
    (void)pthread_mutex_unlock(&files->lock);
    if (old != NULL)
        ipt_tls_pem_release(&old->pem);
}

/* ---- reading ---- */

static void take_stamps(const ipt_tls_files *files, stamp out[IPT_TLS_FILES])
{
    memset(out, 0, sizeof(stamp) * IPT_TLS_FILES); /* compared as bytes */
    for (unsigned i = 0; i < IPT_TLS_FILES; i++) {
        struct stat st;
        if (files->paths[i] == NULL || stat(files->paths[i], &st) != 0)
            continue;
        out[i].there = true;
        out[i].device = st.st_dev;
        out[i].inode = st.st_ino;
        out[i].size = st.st_size;
        out[i].modified = st.st_mtim;
        out[i].changed = st.st_ctim;
    }
}

/* A failure of reading leaves no bytes and is part of the digest, so that it too is told once. */
static ipt_err read_all(int fd, const char *path, ipt_tls_file file, tls_pem *pem, ipt_tls_fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > IPT_TLS_FILE_BYTES_MAX) {
        tls_blame(fault, file, "%s is no regular file of at most %d bytes", path, IPT_TLS_FILE_BYTES_MAX);
        return IPT_ECONFIG;
    }
    size_t cap = (size_t)st.st_size, n = 0;
    char *bytes = malloc(cap + 1);
    if (bytes == NULL)
        return IPT_ENOMEM;
    ssize_t got = 1;
    while (n < cap && got > 0) {
        got = read(fd, bytes + n, cap - n);
        n += got > 0 ? (size_t)got : 0;
    }
    bytes[n] = '\0';
    pem->bytes[file] = bytes;
    pem->sizes[file] = n;
    if (got >= 0)
        return IPT_OK;
    tls_blame(fault, file, "cannot read %s: %s", path, strerror(errno));
    return IPT_ECONFIG;
}

static ipt_err read_file(const char *path, ipt_tls_file file, tls_pem *pem, ipt_tls_fault *fault)
{
    /* Non-blocking: a pipe of that name must not hold up whoever looks. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        tls_blame(fault, file, "cannot read %s: %s", path, strerror(errno));
        return IPT_ECONFIG;
    }
    ipt_err err = read_all(fd, path, file, pem, fault);
    (void)close(fd);
    return err;
}

static ipt_err digest(tls_pem *pem, const bool bad[IPT_TLS_FILES])
{
    gnutls_hash_hd_t hash;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
        return IPT_ENOMEM;
    bool good = true;
    for (unsigned i = 0; i < IPT_TLS_FILES; i++) {
        const uint64_t front[] = {bad[i], pem->sizes[i]};
        good = good && gnutls_hash(hash, front, sizeof(front)) == 0 &&
               (pem->sizes[i] == 0 || gnutls_hash(hash, pem->bytes[i], pem->sizes[i]) == 0);
    }
    gnutls_hash_deinit(hash, pem->digest);
    return good ? IPT_OK : IPT_ENOMEM;
}

static ipt_span span_of(const tls_pem *pem, ipt_tls_file file)
{
    return (ipt_span){pem->bytes[file], pem->sizes[file]};
}

/* The files as they are. IPT_OK with *readable false: one of them cannot be read, fault says which and why. */
static ipt_err load(const ipt_tls_files *files, ipt_tls_fault *fault, bool *readable, tls_pem **out)
{
    bool bad[IPT_TLS_FILES] = {false}, all = true;
    tls_pem *pem = calloc(1, sizeof(*pem));
    if (pem == NULL)
        return IPT_ENOMEM;
    atomic_init(&pem->refs, 1);
    ipt_err err = IPT_OK;
    for (unsigned i = IPT_TLS_FILES; i-- > 0 && err != IPT_ENOMEM;) { /* the fault told is the first file's */
        err = files->paths[i] == NULL ? IPT_OK : read_file(files->paths[i], (ipt_tls_file)i, pem, fault);
        bad[i] = err == IPT_ECONFIG;
        all = all && !bad[i];
    }
    if (err != IPT_ENOMEM)
        err = digest(pem, bad);
    if (err != IPT_OK) {
        pem_free(pem);
        return err;
    }
    pem->pem.cert = span_of(pem, IPT_TLS_CERT);
    pem->pem.key = span_of(pem, IPT_TLS_KEY);
    pem->pem.client_ca = span_of(pem, IPT_TLS_CLIENT_CA);
    *readable = all;
    *out = pem;
    return IPT_OK;
}

static const char *const *paths_of(const ipt_tls_files *files)
{
    return (const char *const *)files->paths;
}

/* ---- looking ---- */

/* Judges contents that are new and settled. */
static ipt_tls_look judge(ipt_tls_files *files, tls_pem *fresh, bool readable, ipt_tls_fault *fault)
{
    ipt_err err = readable ? tls_credentials_make(fresh, paths_of(files), fault) : IPT_ECONFIG;
    if (err == IPT_OK) {
        publish(files, fresh);
        memset(files->wrong, 0, sizeof(files->wrong));
        return IPT_TLS_TAKEN;
    }
    bool told = memcmp(files->wrong, fresh->digest, sizeof(files->wrong)) == 0;
    if (err == IPT_ECONFIG)
        memcpy(files->wrong, fresh->digest, sizeof(files->wrong));
    else
        files->settled = false; /* no memory: not the files' fault, so they are looked at again */
    pem_free(fresh);
    return err == IPT_ECONFIG && !told ? IPT_TLS_REFUSED : IPT_TLS_SAME;
}

ipt_tls_look ipt_tls_files_look(ipt_tls_files *files, bool at_once, ipt_tls_fault *fault)
{
    stamp now[IPT_TLS_FILES];
    tls_pem *fresh;
    bool readable;
    take_stamps(files, now); /* before reading: what is written meanwhile shows at the next look */
    if (!at_once && files->settled && memcmp(now, files->seen, sizeof(now)) == 0)
        return IPT_TLS_SAME;
    if (load(files, fault, &readable, &fresh) != IPT_OK) {
        files->settled = false;
        return IPT_TLS_SAME;
    }
    bool same = memcmp(fresh->digest, files->current->digest, sizeof(fresh->digest)) == 0;
    bool twice = !files->settled && memcmp(fresh->digest, files->fresh, sizeof(fresh->digest)) == 0;
    memcpy(files->fresh, fresh->digest, sizeof(files->fresh));
    memcpy(files->seen, now, sizeof(files->seen));
    files->settled = same || twice || at_once;
    if (same)
        memset(files->wrong, 0, sizeof(files->wrong));
    if (!same && files->settled)
        return judge(files, fresh, readable, fault);
    pem_free(fresh);
    return IPT_TLS_SAME;
}

/* ---- the whole ---- */

static bool copy_text(const char *from, char **out)
{
    size_t n = strlen(from) + 1;
    *out = malloc(n);
    if (*out != NULL)
        memcpy(*out, from, n);
    return *out != NULL;
}

static bool copy_spec(const ipt_listener_spec *spec, ipt_tls_files *files)
{
    const char *const from[IPT_TLS_FILES] = {spec->tls_cert, spec->tls_key, spec->tls_client_ca};
    for (unsigned i = 0; i < IPT_TLS_FILES; i++) {
        if (from[i] != NULL && !copy_text(from[i], &files->paths[i]))
            return false;
    }
    if (spec->tls_client_sans_count == 0)
        return true;
    files->sans = calloc(spec->tls_client_sans_count, sizeof(*files->sans));
    if (files->sans == NULL)
        return false;
    files->sans_count = spec->tls_client_sans_count;
    for (size_t i = 0; i < files->sans_count; i++) {
        if (!copy_text(spec->tls_client_sans[i], &files->sans[i]))
            return false;
    }
    return true;
}

bool ipt_tls_files_allow(const ipt_tls_files *files, const ipt_san *names, size_t count)
{
    return files->sans_count == 0 ||
           ipt_san_is_allowed(names, count, (const char *const *)files->sans, files->sans_count);
}

ipt_err ipt_tls_files_open(const ipt_listener_spec *spec, ipt_tls_fault *fault, ipt_tls_files **out)
{
    ipt_auto(ipt_tls_files) *files = calloc(1, sizeof(*files));
    tls_pem *first = NULL;
    bool readable;
    if (files == NULL)
        return IPT_ENOMEM;
    (void)pthread_mutex_init(&files->lock, NULL);
    if (!copy_spec(spec, files))
        return IPT_ENOMEM;
    take_stamps(files, files->seen);
    ipt_err err = load(files, fault, &readable, &first);
    if (err != IPT_OK)
        return err;
    err = readable ? tls_credentials_make(first, paths_of(files), fault) : IPT_ECONFIG;
    if (err != IPT_OK) {
        pem_free(first);
        return err;
    }
    publish(files, first);
    files->settled = true;
    *out = files;
    files = NULL;
    return IPT_OK;
}

void ipt_tls_files_close(ipt_tls_files *files)
{
    if (files == NULL)
        return;
    if (files->current != NULL)
        ipt_tls_pem_release(&files->current->pem);
    for (unsigned i = 0; i < IPT_TLS_FILES; i++)
        free(files->paths[i]);
    for (size_t i = 0; i < files->sans_count; i++)
        free(files->sans[i]);
    free(files->sans);
    (void)pthread_mutex_destroy(&files->lock);
    free(files);
}
