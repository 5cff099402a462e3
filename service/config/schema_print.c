/* The schema as a table of Markdown, for docs/CONFIGURATION.md. */
#include "iptrust/config/schema.h"

static const char *type_name(ipt_key_type type)
{
    switch (type) {
    case IPT_KEY_MAP:
        return "mapping";
    case IPT_KEY_NAMED:
        return "mapping by name";
    case IPT_KEY_BOOL:
        return "true or false";
    case IPT_KEY_INTEGER:
        return "whole number";
    case IPT_KEY_FRACTION:
        return "number";
    case IPT_KEY_DURATION:
        return "duration";
    case IPT_KEY_BYTES:
        return "bytes";
    case IPT_KEY_TIME:
        return "time";
    case IPT_KEY_STRING:
        return "text";
    case IPT_KEY_PATH:
        return "path";
    case IPT_KEY_LISTEN:
        return "address";
    case IPT_KEY_MODE:
        return "octal mode";
    case IPT_KEY_ENUM:
        return "word";
    case IPT_KEY_NAME:
        return "name";
    case IPT_KEY_HEADER:
        return "header name";
    case IPT_KEY_PREFIXES:
        return "sequence of prefixes";
    case IPT_KEY_STRINGS:
        return "sequence of text";
    case IPT_KEY_NAMES:
        return "sequence of names";
    case IPT_KEY_OTHER:
        return "see limits";
    }
    return "see limits";
}

/* A bar would end the cell. */
static void add_cell(ipt_buf *out, const char *text)
{
    for (const char *p = text == NULL ? "" : text; *p != '\0'; p++) {
        if (*p == '|')
            ipt_buf_addc(out, '\\');
        ipt_buf_addc(out, *p);
    }
    ipt_buf_adds(out, " | ");
}

void ipt_schema_print_markdown(ipt_buf *out)
{
    ipt_buf_adds(out, "| key | type | default | limits | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < ipt_schema_count; i++) {
        const ipt_key *key = &ipt_schema[i];
        ipt_buf_addf(out, "| `%s` | %s | ", key->path, type_name(key->type));
        if (key->fallback == NULL)
            ipt_buf_adds(out, " | ");
        else if (strcmp(key->fallback, "!") == 0)
            ipt_buf_adds(out, "required | ");
        else
            ipt_buf_addf(out, "`%s` | ", key->fallback);
        add_cell(out, key->range);
        ipt_buf_addf(out, "%s%s |\n", key->meaning, key->in_effect ? "" : " *Not yet in effect.*");
    }
}
