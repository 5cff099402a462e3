/* What the hosts of a list write, and the proof that a list asks for. */
#include "bind.h"
#include "check.h"
#include "file.h"
#include "iptrust/base/show.h"

enum { SECRET_MAX = 64 << 10 };

/* ---- vouches ---- */

static bool is_attribute(ipt_span name)
{
    const ipt_span front = IPT_SPAN("attribute:");
    return name.n > front.n && memcmp(name.p, front.p, front.n) == 0;
}

static bool check_vouch(ipt_bind *b, ipt_node *node)
{
    ipt_shown shown;
    ipt_span name = node->key->text;
    ipt_name fixed = ipt_name_fixed(name);
    if (!ipt_span_is_token(name) && !is_attribute(name)) {
        ipt_diag_add(b->diag, IPT_ERROR, node->key->place, "\"%s\" is no header name", ipt_show(name, &shown));
        return false;
    }
    if (fixed == IPT_NAME_CF_CONNECTING_IPV6) {
        ipt_diag_add(b->diag, IPT_ERROR, node->key->place,
                     "cf-connecting-ipv6 is vouched for with cf-connecting-ip, never by itself");
        return false;
    }
    bool append = node->kind == IPT_NODE_SCALAR && ipt_span_equal(node->text, IPT_SPAN("append"));
    bool replace = node->kind == IPT_NODE_SCALAR && ipt_span_equal(node->text, IPT_SPAN("replace"));
    if (!append && !replace) {
        ipt_complain_expected(b->diag, node, ipt_name_is_list(fixed) ? "append or replace" : "replace");
        return false;
    }
    if (append && !ipt_name_is_list(fixed)) {
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "append is for x-forwarded-for and forwarded, expected replace");
        return false;
    }
    return true;
}

static void add_vouch(ipt_bind *b, ipt_list_spec *list, ipt_vouch_spec *vouches, const ipt_node *node)
{
    bool append = ipt_span_equal(node->text, IPT_SPAN("append"));
    /* An attribute's name is the caller's own and compares exactly. */
    ipt_span name = node->key->text;
    const char *header = is_attribute(name) ? ipt_bind_text(b, name) : ipt_bind_lower(b, name);
    if (header == NULL)
        return;
    for (size_t i = 0; i < list->vouch_count; i++) {
        if (ipt_span_equal(vouches[i].header, ipt_span_from(header))) {
            ipt_diag_add(b->diag, IPT_ERROR, node->key->place, "header \"%s\" is here twice", header);
            return;
        }
    }
    vouches[list->vouch_count++] =
        (ipt_vouch_spec){ipt_span_from(header), append ? IPT_VOUCH_APPEND : IPT_VOUCH_REPLACE};
}

static void default_vouches(ipt_bind *b, ipt_list_spec *list, const ipt_provider_defaults *defaults)
{
    static const char *const names[] = {
        [IPT_NAME_XFF] = "x-forwarded-for",
        [IPT_NAME_CF_CONNECTING_IP] = "cf-connecting-ip",
        [IPT_NAME_X_AZURE_SOCKETIP] = "x-azure-socketip",
    };
    ipt_vouch_spec *vouches = ipt_bind_alloc(b, IPT_COUNT(defaults->vouches), sizeof(*vouches));
    if (vouches == NULL)
        return;
    for (size_t i = 0; i < IPT_COUNT(defaults->vouches); i++) {
        ipt_vouch_default v = defaults->vouches[i];
        if (v.header != IPT_NAME_NONE && v.header < IPT_COUNT(names) && names[v.header] != NULL)
            vouches[list->vouch_count++] = (ipt_vouch_spec){ipt_span_from(names[v.header]), v.how};
    }
    list->vouches = vouches;
}

void ipt_bind_vouches(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    ipt_provider_defaults defaults = ipt_provider_defaults_for(list->provider, list->services, list->service_count);
    ipt_node *stated = ipt_node_get(node, "vouches");
    list->adds = ipt_bind_has(node, "lists.*.adds") ? (uint8_t)ipt_bind_integer(node, "lists.*.adds") : defaults.adds;
    if (stated == NULL) {
        default_vouches(b, list, &defaults);
        return;
    }
    if (stated->kind != IPT_NODE_MAPPING) {
        ipt_complain_expected(b->diag, stated, "a mapping such as {x-forwarded-for: append}");
        return;
    }
    if (stated->count > IPT_NAMES_MAX) { /* names are compared with each other */
        ipt_diag_add(b->diag, IPT_ERROR, stated->place, "%zu headers, expected at most %d", stated->count,
                     IPT_NAMES_MAX);
        return;
    }
    ipt_vouch_spec *vouches = ipt_bind_alloc(b, stated->count, sizeof(*vouches));
    for (ipt_node *item = stated->first; vouches != NULL && item != NULL; item = item->next) {
        if (check_vouch(b, item))
            add_vouch(b, list, vouches, item);
    }
    list->vouches = vouches;
}

/* ---- proof ---- */

/* RFC 7239, 4: the four parameters with a meaning of their own prove nothing. */
static bool is_extension(ipt_span parameter)
{
    static const char *const known[] = {"by", "for", "host", "proto"};
    for (size_t i = 0; i < IPT_COUNT(known); i++) {
        if (ipt_span_equal_nocase(parameter, ipt_span_from(known[i])))
            return false;
    }
    return ipt_span_is_token(parameter);
}

/* A secret with a line break or a NUL in it never equals a header line: a proof that always fails. */
static const char *secret_problem(ipt_span secret)
{
    if (secret.n == 0)
        return "is empty";
    if (memchr(secret.p, '\n', secret.n) != NULL || memchr(secret.p, '\r', secret.n) != NULL ||
        memchr(secret.p, '\0', secret.n) != NULL)
        return "has more than one line";
    return NULL;
}

static ipt_span without_line_end(ipt_span text)
{
    if (text.n != 0 && text.p[text.n - 1] == '\n') {
        text.n--;
        if (text.n != 0 && text.p[text.n - 1] == '\r')
            text.n--;
    }
    return text;
}

void ipt_bind_secret(ipt_bind *b, const char *path, const ipt_node *node, ipt_span *out)
{
    ipt_auto(ipt_buf) text = {0};
    char complaint[256] = "";
    ipt_shown shown;
    ipt_file_result result = ipt_file_read(path, SECRET_MAX, &text);
    ipt_span secret = without_line_end(ipt_buf_span(&text));
    const char *problem = complaint;
    if (result == IPT_FILE_NO_MEMORY) {
        b->no_memory = true;
        return;
    }
    if (result != IPT_FILE_OK)
        ipt_file_complain(result, SECRET_MAX, complaint, sizeof(complaint));
    else
        problem = secret_problem(secret);
    if (problem != NULL) {
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "secret file \"%s\" %s", ipt_show(node->text, &shown), problem);
    } else if (out != NULL) {
        const char *copy = ipt_bind_text(b, secret);
        *out = (ipt_span){copy, copy == NULL ? 0 : secret.n};
    }
    if (text.p != NULL)
        explicit_bzero(text.p, text.cap);
}

static void bind_secret_file(ipt_bind *b, ipt_proof_spec *proof, const ipt_node *node, bool wanted)
{
    const ipt_node *file = ipt_node_get(node, "secret_file");
    if (file == NULL && wanted)
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "secret_file is missing");
    else if (file != NULL && !wanted)
        ipt_diag_add(b->diag, IPT_ERROR, file->key->place, "secret_file is for header and forwarded_param");
    if (file == NULL || file->bad || !wanted)
        return;
    const char *path = ipt_bind_join(b, file->text);
    proof->secret_file = ipt_bind_text(b, file->text);
    if (path != NULL)
        ipt_bind_secret(b, path, file, &proof->secret);
}

static const ipt_node *find_proof(ipt_bind *b, const ipt_node *node, ipt_proof_kind *kind)
{
    static const struct {
        const char *key;
        ipt_proof_kind kind;
    } rows[] = {{"header", IPT_PROOF_HEADER},
                {"forwarded_param", IPT_PROOF_FORWARDED_PARAM},
                {"front_door_id", IPT_PROOF_FRONT_DOOR_ID},
                {"principals", IPT_PROOF_PRINCIPALS}};
    const ipt_node *found = NULL;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_node *value = ipt_node_get(node, rows[i].key);
        if (value == NULL)
            continue;
        if (found != NULL) {
            ipt_diag_add(b->diag, IPT_ERROR, value->key->place, "%s besides %s: a list has one proof", rows[i].key,
                         found->key->text.p);
            return NULL;
        }
        found = value;
        *kind = rows[i].kind;
    }
    if (found == NULL)
        ipt_diag_add(b->diag, IPT_ERROR, node->place, "expected header, forwarded_param, front_door_id or principals");
    return found;
}

static void bind_proof_values(ipt_bind *b, ipt_proof_spec *proof, const ipt_node *node, const ipt_node *value,
                              const char *path)
{
    proof->values = ipt_bind_strings(b, node, path, &proof->value_count);
    if (value->kind == IPT_NODE_SEQUENCE && value->count == 0)
        ipt_diag_add(b->diag, IPT_ERROR, value->place, "%s is empty: nothing could prove it", value->key->text.p);
}

void ipt_bind_proof(ipt_bind *b, ipt_list_spec *list, const ipt_node *node)
{
    const ipt_node *stated = ipt_bind_node(node, "lists.*.proof");
    if (stated == NULL)
        return;
    ipt_proof_spec *proof = &list->proof;
    const ipt_node *value = find_proof(b, stated, &proof->kind);
    if (value == NULL)
        return;
    bool secret = proof->kind == IPT_PROOF_HEADER || proof->kind == IPT_PROOF_FORWARDED_PARAM;
    bind_secret_file(b, proof, stated, secret);
    if (value->bad)
        return;
    if (proof->kind == IPT_PROOF_FORWARDED_PARAM && !is_extension(value->text))
        ipt_diag_add(b->diag, IPT_ERROR, value->place, "expected the name of an extension parameter of Forwarded");
    if (secret) {
        const char *name = ipt_bind_lower(b, value->text);
        proof->name = ipt_span_from(name);
    } else if (proof->kind == IPT_PROOF_FRONT_DOOR_ID) {
        bind_proof_values(b, proof, stated, value, "lists.*.proof.front_door_id");
    } else {
        bind_proof_values(b, proof, stated, value, "lists.*.proof.principals");
    }
}
