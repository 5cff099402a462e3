/* One element of forwarding evidence as text: an address, a word that hides one, or neither. */
#include "iptrust/wire/entry.h"

#include "wire_priv.h"

static bool is_obfnode(ipt_span text)
{
    if (text.n < 2 || text.p[0] != '_')
        return false;
    for (size_t i = 1; i < text.n; i++)
        if (!ipt_is_obf_char(text.p[i]))
            return false;
    return true;
}

static ipt_entry_kind kind_without_address(ipt_span text)
{
    if (text.n == 0)
        return IPT_ENTRY_EMPTY;
    return ipt_is_unknown(text) || is_obfnode(text) ? IPT_ENTRY_OBFUSCATED : IPT_ENTRY_MALFORMED;
}

ipt_entry ipt_entry_parse_other(ipt_span text)
{
    ipt_entry entry = {.text = text};
    if (ipt_endpoint_parse_other(text, &entry.node))
        entry.kind = IPT_ENTRY_ADDRESS;
    else
        entry.kind = kind_without_address(text);
    return entry;
}

ipt_entry ipt_entry_parse_viewer(ipt_span text)
{
    ipt_entry entry = {.text = text, .kind = kind_without_address(text)};
    const char *colon = text.n == 0 ? NULL : memrchr(text.p, ':', text.n);
    if (colon == NULL)
        return entry;

    const ipt_span address = {text.p, (size_t)(colon - text.p)};
    const ipt_span port = {colon + 1, text.n - address.n - 1};
    ipt_endpoint node = {.has_port = true};
    if (!ipt_addr_parse(address, &node.addr, &node.mapped) || !ipt_port_parse(port, 1, &node.port))
        return entry;
    entry.kind = IPT_ENTRY_ADDRESS;
    entry.node = node;
    return entry;
}
