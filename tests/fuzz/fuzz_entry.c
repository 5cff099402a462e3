/* Reads an entry both ways and asks that an address reads back as itself, however it is spelt. */
#include "iptrust/wire/entry.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void same_address(ipt_span text, ipt_addr addr)
{
    const ipt_entry entry = ipt_entry_parse(text);
    must(entry.kind == IPT_ENTRY_ADDRESS && ipt_addr_equal(entry.node.addr, addr));
}

/* The canonical text, and the same in brackets with the port, name the same endpoint. */
static void reads_back(const ipt_endpoint *node)
{
    char address[IPT_ADDR_TEXT], text[IPT_ADDR_TEXT + 16];
    const size_t n = ipt_addr_format(node->addr, address);
    same_address((ipt_span){address, n}, node->addr);
    if (!node->has_port)
        return;
    must(node->port != 0);
    const bool v4 = ipt_addr_is_v4(node->addr);
    const int m = snprintf(text, sizeof(text), v4 ? "%s:%u" : "[%s]:%u", address, node->port);
    const ipt_entry again = ipt_entry_parse((ipt_span){text, (size_t)m});
    must(again.kind == IPT_ENTRY_ADDRESS && again.node.has_port && again.node.port == node->port);
    must(ipt_addr_equal(again.node.addr, node->addr));
    const int k = snprintf(text, sizeof(text), "%s:%u", address, node->port);
    const ipt_entry viewer = ipt_entry_parse_viewer((ipt_span){text, (size_t)k});
    must(viewer.kind == IPT_ENTRY_ADDRESS && viewer.node.port == node->port);
    must(ipt_addr_equal(viewer.node.addr, node->addr));
}

static bool only(ipt_span text, const char *allowed)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr(allowed, text.p[i]) == NULL)
            return false;
    return true;
}

static void check(ipt_span text, ipt_entry entry)
{
    static const char obf[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    must(entry.text.p == text.p && entry.text.n == text.n && !entry.text_quoted);
    must((entry.kind == IPT_ENTRY_EMPTY) == (text.n == 0));
    switch (entry.kind) {
    case IPT_ENTRY_ADDRESS:
        must(only(text, "0123456789abcdefABCDEF.:[]"));
        reads_back(&entry.node);
        break;
    case IPT_ENTRY_OBFUSCATED:
        must(only(text, obf) && text.n >= 2 && (text.p[0] == '_' || text.n == 7));
        break;
    case IPT_ENTRY_MALFORMED:
        must(!(text.n >= 2 && text.p[0] == '_' && only(text, obf)));
        break;
    case IPT_ENTRY_EMPTY:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ipt_span text = {(const char *)data, size};
    const ipt_entry entry = ipt_entry_parse(text);
    check(text, entry);
    const ipt_entry viewer = ipt_entry_parse_viewer(text);
    check(text, viewer);
    must(viewer.kind != IPT_ENTRY_ADDRESS || viewer.node.has_port);

    char *other = malloc(size + 1);
    must(other != NULL);
    for (size_t i = 0; i < size; i++)
        other[i] = ipt_lower((char)data[i]);
    const ipt_entry lower = ipt_entry_parse((ipt_span){other, size});
    must(lower.kind == entry.kind && ipt_addr_equal(lower.node.addr, entry.node.addr));
    other[size] = ' ';
    const ipt_entry_kind junk = ipt_entry_parse((ipt_span){other, size + 1}).kind;
    must(junk == IPT_ENTRY_MALFORMED);
    free(other);
    return 0;
}
