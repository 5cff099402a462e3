/* Situations that a person may want explained: a configuration, a request, and the name of the picture expected. */
#ifndef IPTRUST_TESTS_SITUATIONS_H
#define IPTRUST_TESTS_SITUATIONS_H

#include "iptrust/resolve/resolve.h"

#define NOW INT64_C(1795341600) /* 2026-11-22T10:00:00Z */

typedef struct situation {
    const char *name;   /* of the file with the picture */
    const char *yaml;   /* NULL: the embedded default */
    const char *policy; /* NULL: default */
    const char *peer;
    const char *headers; /* "Name: value", one a line */
    const char *proxy;   /* PROXY bytes, NULL for none */
} situation;

extern const situation situations[];
extern const size_t situation_count;

/* Everything that a decision borrows from. */
typedef struct scene {
    ipt_view *view;
    ipt_request request;
    ipt_header headers[64];
    ipt_decision decision;
} scene;

void scene_open(scene *s, const situation *from); /* fails the test when there is no decision */
void scene_close(scene *s);
const situation *situation_find(const char *name);

#endif
