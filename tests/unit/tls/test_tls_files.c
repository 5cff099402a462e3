/* Files of TLS: what is refused and why, what is picked up and when, in every order in which people replace them. */
#include "certs.h"

#include <stdio.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "failalloc.h"

static pair one, two; /* made once: keys cost time */
static int64_t soon;

static int make_pairs(void **state)
{
    (void)state;
    soon = (int64_t)time(NULL) + 3600;
    pair_make(&one, "one", soon);
    pair_make(&two, "two", soon + 60);
    return 0;
}

static ipt_tls_files *open_good(const place *p)
{
    ipt_tls_fault fault = {.text = ""};
    ipt_tls_files *files = NULL;
    if (ipt_tls_files_open(&p->spec, &fault, &files) != IPT_OK)
        fail_msg("%s", fault.text);
    return files;
}

static void setup_pair(place *p, const pair *with)
{
    place_make(p);
    put(p->cert, with->cert);
    put(p->key, with->key);
}

static void expect_in_force(ipt_tls_files *files, const pair *wanted, uint64_t number)
{
    const ipt_tls_pem *pem = ipt_tls_files_acquire(files);
    assert_int_equal(pem->number, number);
    assert_true(ipt_span_equal(pem->cert, ipt_span_from(wanted->cert)));
    assert_true(ipt_span_equal(pem->key, ipt_span_from(wanted->key)));
    assert_int_equal(pem->cert.p[pem->cert.n], '\0');
    ipt_tls_pem_release(pem);
}

static ipt_tls_look look(ipt_tls_files *files)
{
    ipt_tls_fault fault;
    return ipt_tls_files_look(files, false, &fault);
}

static void what_cannot_be_used_is_refused_with_the_file_to_blame(void **state)
{
    const struct {
        const char *cert, *key, *ca; /* NULL: no such file; ca "": none is asked for */
        ipt_tls_file blamed;
        const char *says;
    } rows[] = {
        {NULL, one.key, "", IPT_TLS_CERT, "No such file"},
        {one.cert, NULL, "", IPT_TLS_KEY, "No such file"},
        {one.cert, one.key, NULL, IPT_TLS_CLIENT_CA, "No such file"},
        {NULL, NULL, NULL, IPT_TLS_CERT, "No such file"},
        {one.cert, two.key, "", IPT_TLS_KEY, "does not fit the certificate"},
        {one.key, one.key, "", IPT_TLS_CERT, "holds no certificate chain"},
        {one.cert, one.cert, "", IPT_TLS_KEY, "holds no private key"},
        {"", one.key, "", IPT_TLS_CERT, "holds no certificate chain"},
        {one.cert, "", "", IPT_TLS_KEY, "holds no private key"},
        {one.cert, one.key, "x", IPT_TLS_CLIENT_CA, "holds no certificates"},
        {one.cert, one.key, one.key, IPT_TLS_CLIENT_CA, "holds no certificates"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        place p;
        ipt_tls_fault fault = {.text = ""};
        ipt_tls_files *files = NULL;
        place_make(&p);
        if (rows[i].cert != NULL)
            put(p.cert, rows[i].cert);
        if (rows[i].key != NULL)
            put(p.key, rows[i].key);
        if (rows[i].ca != NULL && rows[i].ca[0] != '\0')
            put(p.ca, rows[i].ca);
        p.spec.tls_client_ca = rows[i].ca != NULL && rows[i].ca[0] == '\0' ? NULL : p.ca;
        assert_int_equal(ipt_tls_files_open(&p.spec, &fault, &files), IPT_ECONFIG);
        assert_null(files);
        if (fault.file != rows[i].blamed || strstr(fault.text, rows[i].says) == NULL)
            fail_msg("row %zu: %s", i, fault.text);
        assert_non_null(strstr(fault.text, p.dir));
        place_remove(&p);
    }
}

static void a_directory_and_a_file_too_large_are_refused(void **state)
{
    place p;
    ipt_tls_fault fault;
    ipt_tls_files *files = NULL;
    char *large = calloc(1, IPT_TLS_FILE_BYTES_MAX + 1);
    (void)state;
    assert_non_null(large);
    setup_pair(&p, &one);
    put_bytes(p.ca, large, IPT_TLS_FILE_BYTES_MAX + 1);
    p.spec.tls_client_ca = p.ca;
    assert_int_equal(ipt_tls_files_open(&p.spec, &fault, &files), IPT_ECONFIG);
    p.spec.tls_client_ca = p.dir;
    assert_int_equal(ipt_tls_files_open(&p.spec, &fault, &files), IPT_ECONFIG);
    free(large);
    place_remove(&p);
}

static void nothing_changes_while_the_files_do_not(void **state)
{
    place p;
    (void)state;
    setup_pair(&p, &one);
    ipt_tls_files *files = open_good(&p);
    const ipt_tls_pem *pem = ipt_tls_files_acquire(files);
    assert_int_equal(pem->expires, soon);
    assert_int_equal(pem->client_ca.n, 0);
    ipt_tls_pem_release(pem);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(files), IPT_TLS_SAME);
    put(p.cert, one.cert); /* written again: another time, the same contents */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(files), IPT_TLS_SAME);
    expect_in_force(files, &one, 1);
    ipt_tls_files_close(files);
    place_remove(&p);
}

static void a_new_pair_is_taken_at_the_second_look_in_either_order(void **state)
{
    (void)state;
    for (unsigned key_first = 0; key_first < 2; key_first++) {
        place p;
        setup_pair(&p, &one);
        ipt_tls_files *files = open_good(&p);
        const ipt_tls_pem *held = ipt_tls_files_acquire(files);
        put(key_first ? p.key : p.cert, key_first ? two.key : two.cert);
        assert_int_equal(look(files), IPT_TLS_SAME); /* half of it, not settled */
        put(key_first ? p.cert : p.key, key_first ? two.cert : two.key);
        assert_int_equal(look(files), IPT_TLS_SAME);
        assert_int_equal(look(files), IPT_TLS_TAKEN);
        assert_int_equal(look(files), IPT_TLS_SAME);
        expect_in_force(files, &two, 2);
        assert_true(ipt_span_equal(held->cert, ipt_span_from(one.cert))); /* who has it keeps it */
        ipt_tls_files_close(files);
        ipt_tls_pem_release(held);
        place_remove(&p);
    }
}

static void at_once_is_at_once(void **state)
{
    place p;
    ipt_tls_fault fault;
    (void)state;
    setup_pair(&p, &one);
    ipt_tls_files *files = open_good(&p);
    put(p.cert, two.cert);
    put(p.key, two.key);
    assert_int_equal(ipt_tls_files_look(files, true, &fault), IPT_TLS_TAKEN);
    assert_int_equal(ipt_tls_files_look(files, true, &fault), IPT_TLS_SAME);
    expect_in_force(files, &two, 2);
    ipt_tls_files_close(files);
    place_remove(&p);
}

static void a_pair_that_does_not_fit_is_told_once_and_the_old_one_stays(void **state)
{
    place p;
    ipt_tls_fault fault = {.text = ""};
    (void)state;
    setup_pair(&p, &one);
    ipt_tls_files *files = open_good(&p);
    put(p.key, two.key);
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(ipt_tls_files_look(files, false, &fault), IPT_TLS_REFUSED);
    assert_int_equal(fault.file, IPT_TLS_KEY);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(files), IPT_TLS_SAME);
    put(p.key, two.key);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(files), IPT_TLS_SAME); /* the same contents are not told again */
    expect_in_force(files, &one, 1);
    put(p.key, one.key); /* mended by going back */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(look(files), IPT_TLS_SAME);
    put(p.key, two.key); /* and broken anew: told again */
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_REFUSED);
    put(p.cert, two.cert); /* mended by going on */
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_TAKEN);
    expect_in_force(files, &two, 2);
    ipt_tls_files_close(files);
    place_remove(&p);
}

static void a_file_that_goes_and_comes_back_is_told_once(void **state)
{
    place p;
    (void)state;
    setup_pair(&p, &one);
    ipt_tls_files *files = open_good(&p);
    assert_int_equal(unlink(p.cert), 0);
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_REFUSED);
    assert_int_equal(look(files), IPT_TLS_SAME);
    put(p.cert, one.cert);
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_SAME);
    expect_in_force(files, &one, 1);
    ipt_tls_files_close(files);
    place_remove(&p);
}

/* Every prefix of a certificate at some look: never taken, and told at most when it stands still. */
static void a_file_being_written_is_never_taken(void **state)
{
    place p;
    size_t n = strlen(two.cert);
    (void)state;
    setup_pair(&p, &one);
    ipt_tls_files *files = open_good(&p);
    put(p.key, two.key);
    for (size_t i = 0; i + 16 < n; i += 16) { /* what is missing at the end still holds the end line */
        put_bytes(p.cert, two.cert, i);
        assert_int_equal(look(files), IPT_TLS_SAME);
    }
    expect_in_force(files, &one, 1);
    put(p.cert, two.cert);
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_TAKEN);
    expect_in_force(files, &two, 2);
    ipt_tls_files_close(files);
    place_remove(&p);
}

/* As Kubernetes does it: cert.pem -> ..data/cert.pem, ..data -> a directory that is swapped whole. */
static void a_swapped_link_is_seen(void **state)
{
    char dir[] = "/tmp/iptrust-swap-XXXXXX", path[160], cert[96], key[96], data[96], next[96];
    const pair *pairs[] = {&one, &two};
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(data, sizeof(data), "%s/..data", dir);
    snprintf(next, sizeof(next), "%s/..next", dir);
    snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    snprintf(key, sizeof(key), "%s/key.pem", dir);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/v%u", dir, i);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/v%u/cert.pem", dir, i);
        put(path, pairs[i]->cert);
        snprintf(path, sizeof(path), "%s/v%u/key.pem", dir, i);
        put(path, pairs[i]->key);
    }
    assert_int_equal(symlink("v0", data), 0);
    assert_int_equal(symlink("..data/cert.pem", cert), 0);
    assert_int_equal(symlink("..data/key.pem", key), 0);
    const place p = {.spec = {.kind = IPT_LISTEN_TCP, .tls_cert = cert, .tls_key = key}};
    ipt_tls_files *files = open_good(&p);
    assert_int_equal(symlink("v1", next), 0);
    assert_int_equal(rename(next, data), 0);
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_TAKEN);
    expect_in_force(files, &two, 2);
    ipt_tls_files_close(files);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/v%u/cert.pem", dir, i);
        assert_int_equal(unlink(path), 0);
        snprintf(path, sizeof(path), "%s/v%u/key.pem", dir, i);
        assert_int_equal(unlink(path), 0);
        snprintf(path, sizeof(path), "%s/v%u", dir, i);
        assert_int_equal(rmdir(path), 0);
    }
    (void)unlink(cert);
    (void)unlink(key);
    (void)unlink(data);
    assert_int_equal(rmdir(dir), 0);
}

static void the_callers_ca_is_picked_up_too(void **state)
{
    place p;
    (void)state;
    setup_pair(&p, &one);
    put(p.ca, one.cert);
    p.spec.tls_client_ca = p.ca;
    ipt_tls_files *files = open_good(&p);
    put(p.ca, two.cert);
    assert_int_equal(look(files), IPT_TLS_SAME);
    assert_int_equal(look(files), IPT_TLS_TAKEN);
    const ipt_tls_pem *pem = ipt_tls_files_acquire(files);
    assert_true(ipt_span_equal(pem->client_ca, ipt_span_from(two.cert)));
    ipt_tls_pem_release(pem);
    ipt_tls_files_close(files);
    place_remove(&p);
}

static void each_allocation_may_fail(void **state)
{
    place p;
    (void)state;
    setup_pair(&p, &one);
    put(p.ca, one.cert);
    static const char *const sans[] = {"a.example", "spiffe://a/b"};
    p.spec.tls_client_ca = p.ca;
    p.spec.tls_client_sans = sans;
    p.spec.tls_client_sans_count = 2;
    for (size_t n = 1;; n++) {
        ipt_tls_fault fault;
        ipt_tls_files *files = NULL;
        failalloc_at(n);
        ipt_err err = ipt_tls_files_open(&p.spec, &fault, &files);
        bool happened = failalloc_happened();
        failalloc_at(0);
        ipt_tls_files_close(files);
        if (!happened) {
            assert_int_equal(err, IPT_OK);
            assert_true(n > 9);
            break;
        }
        assert_int_equal(err, IPT_ENOMEM);
        assert_null(files);
    }
    place_remove(&p);
}

/* What is lost to a moment without memory is found at a later look. */
static void a_look_without_memory_is_made_up_for(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        place p;
        ipt_tls_fault fault;
        setup_pair(&p, &one);
        ipt_tls_files *files = open_good(&p);
        put(p.cert, two.cert);
        put(p.key, two.key);
        failalloc_at(n);
        (void)ipt_tls_files_look(files, true, &fault);
        bool happened = failalloc_happened();
        failalloc_at(0);
        (void)look(files);
        (void)look(files);
        expect_in_force(files, &two, 2);
        ipt_tls_files_close(files);
        place_remove(&p);
        if (!happened)
            break;
    }
}

typedef struct hearing {
    pthread_mutex_t lock;
    unsigned taken, refused;
    size_t last;
} hearing;

static void hear(void *context, size_t which, ipt_tls_look look, const ipt_tls_fault *fault)
{
    hearing *h = context;
    (void)fault;
    (void)pthread_mutex_lock(&h->lock);
    h->taken += look == IPT_TLS_TAKEN;
    h->refused += look == IPT_TLS_REFUSED;
    h->last = which;
    (void)pthread_mutex_unlock(&h->lock);
}

static bool wait_heard(hearing *h, unsigned taken, unsigned refused)
{
    enum { LOOKS = 500, PAUSE_US = 10000 };
    for (unsigned i = 0; i < LOOKS; i++) {
        (void)pthread_mutex_lock(&h->lock);
        bool all = h->taken == taken && h->refused == refused;
        (void)pthread_mutex_unlock(&h->lock);
        if (all)
            return true;
        (void)usleep(PAUSE_US);
    }
    return false;
}

static void a_watch_tells_of_each_listener_by_itself(void **state)
{
    place p[2];
    ipt_tls_files *files[2];
    ipt_tls_watch *watch = NULL;
    hearing h = {.lock = PTHREAD_MUTEX_INITIALIZER};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        setup_pair(&p[i], &one);
        files[i] = open_good(&p[i]);
    }
    failalloc_at(1);
    assert_int_equal(ipt_tls_watch_start(files, 2, hear, &h, &watch), IPT_ENOMEM);
    failalloc_at(0);
    assert_null(watch);
    assert_int_equal(ipt_tls_watch_start(files, 2, hear, &h, &watch), IPT_OK);
    put(p[1].key, two.key);
    assert_true(wait_heard(&h, 0, 1)); /* by itself, at the second look */
    assert_int_equal(h.last, 1);
    put(p[1].cert, two.cert);
    ipt_tls_watch_now(watch);
    assert_true(wait_heard(&h, 1, 1));
    ipt_tls_watch_stop(watch);
    expect_in_force(files[0], &one, 1);
    expect_in_force(files[1], &two, 2);
    for (unsigned i = 0; i < 2; i++) {
        ipt_tls_files_close(files[i]);
        place_remove(&p[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_used_is_refused_with_the_file_to_blame),
        cmocka_unit_test(a_directory_and_a_file_too_large_are_refused),
        cmocka_unit_test(nothing_changes_while_the_files_do_not),
        cmocka_unit_test(a_new_pair_is_taken_at_the_second_look_in_either_order),
        cmocka_unit_test(at_once_is_at_once),
        cmocka_unit_test(a_pair_that_does_not_fit_is_told_once_and_the_old_one_stays),
        cmocka_unit_test(a_file_that_goes_and_comes_back_is_told_once),
        cmocka_unit_test(a_file_being_written_is_never_taken),
        cmocka_unit_test(a_swapped_link_is_seen),
        cmocka_unit_test(the_callers_ca_is_picked_up_too),
        cmocka_unit_test(a_watch_tells_of_each_listener_by_itself),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_look_without_memory_is_made_up_for),
    };
    return cmocka_run_group_tests(tests, make_pairs, NULL);
}
