/* Which call answers which path on which listener. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rest_priv.h"

static void paths_belong_to_one_listener(void **state)
{
    static const struct {
        rest_face face;
        const char *path, *found, *tail;
    } rows[] = {
        {FACE_HTTP, "/v1/resolve", "/v1/resolve", ""},
        {FACE_HTTP, "/v1/resolve/", NULL, NULL},
        {FACE_HTTP, "/v1/resolve/batch", "/v1/resolve/batch", ""},
        {FACE_HTTP, "/", "/", ""},
        {FACE_HTTP, "//", NULL, NULL},
        {FACE_HTTP, "", NULL, NULL},
        {FACE_HTTP, "/ip", "/ip", ""},
        {FACE_HTTP, "/ipx", NULL, NULL},
        {FACE_HTTP, "/v1/ip/::1", "/v1/ip/", "::1"},
        {FACE_HTTP, "/v1/ip/", NULL, NULL},
        {FACE_HTTP, "/v1/auth/nginx", "/v1/auth/nginx", ""},
        {FACE_HTTP, "/v1/auth/nginx/edge", "/v1/auth/nginx/", "edge"},
        {FACE_HTTP, "/v1/auth/nginx/edge/more", NULL, NULL},
        {FACE_HTTP, "/v1/auth/nginx/", NULL, NULL},
        {FACE_HTTP, "/v1/auth/nginx//edge", NULL, NULL},
        {FACE_HTTP, "/v1/auth/apache", NULL, NULL},
        {FACE_HTTP, "/v1/auth/", NULL, NULL},
        {FACE_HTTP, "/v1/auth/envoy", "/v1/auth/envoy", ""},
        {FACE_HTTP, "/v1/auth/envoy/edge", "/v1/auth/envoy/", "edge"},
        {FACE_HTTP, "/v1/auth/envoy/edge/a/b", "/v1/auth/envoy/", "edge/a/b"},
        {FACE_HTTP, "/v1/auth/envoy//a", NULL, NULL},
        {FACE_ADMIN, "/v1/auth/nginx", NULL, NULL},
        {FACE_HTTP, "/metrics", NULL, NULL},
        {FACE_HTTP, "/v1/lists", NULL, NULL},
        {FACE_HEALTH, "/metrics", "/metrics", ""},
        {FACE_HEALTH, "/", NULL, NULL},
        {FACE_HEALTH, "/v1/resolve", NULL, NULL},
        {FACE_ADMIN, "/v1/lists", "/v1/lists", ""},
        {FACE_ADMIN, "/v1/lists/lb", "/v1/lists/", "lb"},
        {FACE_ADMIN, "/v1/lists/lb/refresh", "/v1/lists/", "lb/refresh"},
        {FACE_ADMIN, "/livez", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const char *tail = NULL;
        const rest_route *route = rest_route_find(rows[i].face, rows[i].path, &tail);
        assert_int_equal(route != NULL, rows[i].found != NULL);
        if (route != NULL) {
            assert_string_equal(route->path, rows[i].found);
            assert_string_equal(tail, rows[i].tail);
        }
    }
}

static void media_types_are_compared_without_parameters(void **state)
{
    static const struct {
        const char *header;
        bool same;
    } rows[] = {
        {"application/json", true},  {"Application/JSON ; charset=utf-8", true},
        {"application/json;", true}, {"application/jsonx", false},
        {"application/jso", false},  {"", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_int_equal(rest_media_is(ipt_span_from(rows[i].header), "application/json"), rows[i].same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_belong_to_one_listener),
        cmocka_unit_test(media_types_are_compared_without_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
