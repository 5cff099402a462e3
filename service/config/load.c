/* From files to a configuration: read, parse, merge, check, bind, judge. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind.h"
#include "check.h"
#include "document.h"
#include "file.h"
#include "merge.h"
#include "overlay.h"

enum { TREE_BLOCK = 16 << 10, CONFIG_BLOCK = 16 << 10 };

typedef struct loader {
    ipt_config *config; /* handed out at the end */
    ipt_arena *tree;    /* of the nodes: gone when the configuration is built */
    ipt_node *root;
    ipt_diag *diag;
    size_t errors_before;
    bool whole_files;
    char base_dir[4096];
} loader;

static void loader_done(loader *l)
{
    ipt_config_free(l->config);
    ipt_arena_free(l->tree);
}

static ipt_err loader_init(loader *l, const char *file, ipt_diag *diag)
{
    ipt_auto(ipt_arena) *arena = NULL;
    *l = (loader){.diag = diag, .errors_before = diag->errors};
    ipt_err err = ipt_arena_new(CONFIG_BLOCK, 0, &arena);
    if (err != IPT_OK)
        return err;
    ipt_config *config = ipt_arena_calloc(arena, 1, sizeof(*config));
    if (config == NULL)
        return IPT_ENOMEM;
    if (file != NULL) {
        config->file = ipt_arena_strdup(arena, ipt_span_from(file));
        if (config->file == NULL)
            return IPT_ENOMEM;
    }
    config->arena = arena;
    err = ipt_config_life_begin(config);
    if (err != IPT_OK)
        return err;
    arena = NULL;
    l->config = config;
    return ipt_arena_new(TREE_BLOCK, 0, &l->tree);
}

/* Absolute, so that a later change of directory changes nothing; links stay as they are, because Kubernetes swaps them.
 */
static ipt_err set_base_dir(loader *l, ipt_span dir)
{
    if (dir.n == 0)
        dir = IPT_SPAN(".");
    int n;
    if (dir.p[0] == '/') {
        while (dir.n > 1 && dir.p[dir.n - 1] == '/')
            dir.n--;
        n = snprintf(l->base_dir, sizeof(l->base_dir), "%.*s", (int)dir.n, dir.p);
    } else {
        char here[2048];
        if (getcwd(here, sizeof(here)) == NULL)
            return IPT_EIO;
        bool same = ipt_span_equal(dir, IPT_SPAN("."));
        n = snprintf(l->base_dir, sizeof(l->base_dir), "%s%s%.*s", here, same ? "" : "/", same ? 0 : (int)dir.n, dir.p);
    }
    return n > 0 && (size_t)n < sizeof(l->base_dir) ? IPT_OK : IPT_ELIMIT;
}

static bool has_errors(const loader *l)
{
    return l->diag->errors > l->errors_before;
}

/* ---- documents ---- */

static ipt_err add_document(loader *l, ipt_span yaml, const char *file)
{
    ipt_node *node;
    const char *kept = ipt_arena_strdup(l->config->arena, ipt_span_from(file)); /* places point at it */
    if (kept == NULL)
        return IPT_ENOMEM;
    ipt_err err = ipt_node_parse(yaml, kept, l->tree, l->diag, &node);
    if (err != IPT_OK || node == NULL)
        return err;
    if (node->kind != IPT_NODE_MAPPING)
        ipt_complain_expected(l->diag, node, "a mapping of keys such as http, lists, policies");
    else if (l->root == NULL)
        l->root = node;
    else
        ipt_merge(l->root, node, l->diag);
    return IPT_OK;
}

static ipt_err add_file(loader *l, const char *path)
{
    ipt_auto(ipt_buf) text = {0};
    char complaint[256];
    ipt_file_result result = ipt_file_read(path, IPT_CONFIG_BYTES_MAX, &text);
    if (result == IPT_FILE_NO_MEMORY)
        return IPT_ENOMEM;
    if (result == IPT_FILE_OK && l->whole_files && !ipt_file_is_whole(ipt_buf_span(&text))) {
        ipt_diag_add(l->diag, IPT_ERROR, (ipt_place){path, 0, 0}, IPT_FILE_CUT_SHORT);
        return IPT_OK;
    }
    if (result == IPT_FILE_OK)
        return add_document(l, ipt_buf_span(&text), path);
    ipt_file_complain(result, IPT_CONFIG_BYTES_MAX, complaint, sizeof(complaint));
    ipt_diag_add(l->diag, IPT_ERROR, (ipt_place){path, 0, 0}, "%s", complaint);
    return IPT_OK;
}

static int is_yaml_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Not alphasort: the locale must not decide the order. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static ipt_err add_entry(loader *l, const char *dir, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return IPT_ELIMIT;
    return add_file(l, path);
}

static ipt_err add_directory(loader *l, const char *dir)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_yaml_file, by_name);
    ipt_err err = IPT_OK;
    if (count < 0)
        ipt_diag_add(l->diag, IPT_ERROR, (ipt_place){dir, 0, 0}, "cannot be read: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        if (err == IPT_OK)
            err = add_entry(l, dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (count == 0)
        ipt_diag_add(l->diag, IPT_ERROR, (ipt_place){dir, 0, 0}, "has no file whose name ends in .yaml or .yml");
    return err;
}

/* ---- the whole ---- */

static ipt_err bind_all(loader *l, const ipt_config_options *options)
{
    ipt_bind b = {
        .arena = l->config->arena,
        .diag = l->diag,
        .base_dir = l->base_dir,
        .environment = options == NULL ? NULL : options->environment,
        .whole_files = l->whole_files,
        .root = l->root,
        .config = l->config,
    };
    ipt_bind_lists(&b); /* first: the others refer to them */
    if (!b.no_memory)
        ipt_bind_server(&b);
    if (!b.no_memory)
        ipt_bind_policies(&b);
    if (!b.no_memory)
        ipt_bind_central(&b);
    if (!b.no_memory)
        ipt_bind_environment(&b);
    if (!b.no_memory)
        ipt_warn_all(&b);
    return b.no_memory ? IPT_ENOMEM : IPT_OK;
}

/* Below what the files say; one without them has nothing to come below. */
static ipt_err add_central(loader *l, const ipt_config_options *options)
{
    ipt_node *node = NULL;
    if (options == NULL || options->document.n == 0 || l->root == NULL || has_errors(l))
        return IPT_OK;
    const char *name = ipt_arena_strdup(l->config->arena, IPT_SPAN(IPT_CONFIG_DOCUMENT));
    if (name == NULL)
        return IPT_ENOMEM;
    ipt_err err = ipt_node_parse(options->document, name, l->tree, l->diag, &node);
    if (err != IPT_OK || node == NULL)
        return err;
    if (node->kind != IPT_NODE_MAPPING) {
        ipt_complain_expected(l->diag, node, "a mapping of lists and policies");
        return IPT_OK;
    }
    ipt_document_check(node, l->diag);
    if (!has_errors(l))
        ipt_document_merge(l->root, node);
    return IPT_OK;
}

static ipt_err finish(loader *l, const ipt_config_options *options, ipt_config **out)
{
    ipt_err err = add_central(l, options);
    if (err == IPT_OK && l->root != NULL && !has_errors(l)) {
        ipt_walk(l->root, l->diag);
        err = bind_all(l, options);
    }
    if (err == IPT_OK && l->diag->failed)
        err = IPT_ENOMEM;
    if (err == IPT_OK && has_errors(l))
        err = IPT_ECONFIG;
    if (err != IPT_OK)
        return err;
    *out = l->config;
    l->config = NULL;
    return IPT_OK;
}

ipt_err ipt_config_parse(ipt_span yaml, const char *file, const ipt_config_options *options, ipt_diag *diag,
                         ipt_config **out)
{
    loader l;
    ipt_err err = loader_init(&l, file, diag);
    if (err == IPT_OK)
        err = set_base_dir(&l, ipt_span_from(options == NULL ? NULL : options->base_dir));
    if (err == IPT_OK)
        err = add_document(&l, yaml, file == NULL ? "(embedded default)" : file);
    if (err == IPT_OK)
        err = finish(&l, options, out);
    loader_done(&l);
    return err;
}

static ipt_span directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return IPT_SPAN(".");
    return (ipt_span){path, slash == path ? 1 : (size_t)(slash - path)};
}

ipt_err ipt_config_load(const char *path, const ipt_config_options *options, ipt_diag *diag, ipt_config **out)
{
    if (path == NULL)
        return ipt_config_parse(ipt_config_default_yaml(), NULL, options, diag, out);

    loader l;
    struct stat st;
    bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    ipt_err err = loader_init(&l, path, diag);
    l.whole_files = options != NULL && options->whole_files;
    if (err == IPT_OK)
        err = set_base_dir(&l, directory ? ipt_span_from(path) : directory_of(path));
    if (err == IPT_OK)
        err = directory ? add_directory(&l, path) : add_file(&l, path);
    if (err == IPT_OK)
        err = finish(&l, options, out);
    loader_done(&l);
    return err;
}
