/* A temporary directory and outcomes as text. */
#include "setup.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exact.h"
#include "iptrust/config/diag_print.h"

void setup_write(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

int setup_files(void **state)
{
    static char dir[] = "/tmp/iptrust-config-XXXXXX";
    static char big[70001];
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    memset(big, 'x', sizeof(big) - 1);
    setup_write(dir, "secrets/ok", "tok\n");
    setup_write(dir, "secrets/crlf", "s3cret\r\n");
    setup_write(dir, "secrets/bare", "s3cret");
    setup_write(dir, "secrets/empty", "");
    setup_write(dir, "secrets/newline", "\n");
    setup_write(dir, "secrets/two", "one\ntwo\n");
    setup_write(dir, "secrets/ends", "one\n\n");
    setup_write(dir, "secrets/big", big);
    setup_write(dir, "bad.txt", "10.0.0.0/8\n\n# c\n  10.0.0.1/8 # x\nfoo\r\n");
    setup_write(dir, "empty.txt", "# nothing\n");
    setup_write(dir, "table.json", "[\"192.0.2.0/24\"]\n");
    setup_write(dir, "office.txt", "192.0.2.0/24\r\n# the lab\n2001:db8::1\n");
    *state = dir;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int teardown_files(void **state)
{
    return nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The directory has another name in every run. */
static void hide_dir(char *text, const char *dir)
{
    size_t n = dir == NULL ? 0 : strlen(dir);
    for (char *at = text; n != 0 && (at = strstr(at, dir)) != NULL;) {
        memcpy(at, "DIR", 3);
        memmove(at + 3, at + n, strlen(at + n) + 1);
    }
}

static void keep_text(outcome *out, ipt_diag *diag, const char *dir)
{
    ipt_auto(ipt_buf) text = {0};
    ipt_diag_print(diag, &text);
    assert_false(text.failed);
    assert_true(text.n < sizeof(out->text));
    if (text.n != 0)
        memcpy(out->text, text.p, text.n);
    out->text[text.n] = '\0';
    hide_dir(out->text, dir);
    ipt_diag_done(diag);
}

void outcome_parse(const char *yaml, const char *dir, outcome *out)
{
    ipt_diag diag;
    ipt_span text = exact(yaml);
    out->config = NULL;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    out->err = ipt_config_parse(text, "c.yaml", &(ipt_config_options){.base_dir = dir}, &diag, &out->config);
    free((void *)(uintptr_t)text.p); /* before anyone looks: nothing may point into it */
    keep_text(out, &diag, dir);
}

void outcome_load(const char *path, const char *dir, char *const *environment, outcome *out)
{
    ipt_diag diag;
    out->config = NULL;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    out->err = ipt_config_load(path, &(ipt_config_options){.environment = environment}, &diag, &out->config);
    keep_text(out, &diag, dir);
}

void outcome_done(outcome *out)
{
    ipt_config_free(out->config);
    out->config = NULL;
}

void outcome_keep(outcome *out, const char *word)
{
    char *to = out->text;
    for (const char *line = out->text, *end; *line != '\0'; line = end) {
        end = strchr(line, '\n') + 1;
        char *found = memmem(line, (size_t)(end - line), word, strlen(word));
        if (found == NULL)
            continue;
        memmove(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = '\0';
}
