/* What the tests of the configuration share: a directory of small files, and a configuration read in one call with its
 * messages as text. */
#ifndef IPTRUST_TESTS_CONFIG_SETUP_H
#define IPTRUST_TESTS_CONFIG_SETUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "iptrust/config/config.h"

/* A group's set-up and tear-down: *state is the directory's path, with secrets/ and list files in it. */
int setup_files(void **state);
int teardown_files(void **state);
void setup_write(const char *dir, const char *name, const char *text); /* makes the directories in name */

typedef struct outcome {
    ipt_err err;
    ipt_config *config; /* NULL unless IPT_OK */
    char text[8192];    /* all messages, DIR for the directory of files */
} outcome;

void outcome_parse(const char *yaml, const char *dir, outcome *out); /* as file "c.yaml" */
void outcome_load(const char *path, const char *dir, char *const *environment, outcome *out);
void outcome_done(outcome *out);

/* Only the lines of out->text with word in them, in place. */
void outcome_keep(outcome *out, const char *word);

#endif
