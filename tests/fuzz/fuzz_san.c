/* Names of certificates: the first line is an entry of client_sans, what follows a byte of kind and a certificate's
 * name with any bytes. A name is never allowed by half, by another kind or by a pattern. */
#include <stdlib.h>

#include "iptrust/tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_pair(ipt_san name, ipt_san entry)
{
    bool same = ipt_san_equal(name, entry);
    require(same == ipt_san_equal(entry, name));
    if (!same)
        return;
    require(name.kind == entry.kind && entry.kind != IPT_SAN_NONE && name.text.n != 0);
    require(memchr(entry.text.p, '*', entry.text.n) == NULL);
    if (name.kind == IPT_SAN_IP) {
        ipt_addr a, b;
        require(ipt_addr_parse(name.text, &a, NULL) && ipt_addr_parse(entry.text, &b, NULL) && ipt_addr_equal(a, b));
    } else {
        require(ipt_span_equal_nocase(name.text, entry.text)); /* the length is in it: nothing ends at a NUL */
        require(name.kind != IPT_SAN_URI || ipt_span_equal(name.text, entry.text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t n = end == NULL ? size : (size_t)(end - data);
    char *text = malloc(n + 1);
    require(text != NULL);
    if (n != 0)
        memcpy(text, data, n);
    text[n] = '\0';
    const char *const allowed[] = {text};
    ipt_san entry = ipt_san_read(ipt_span_from(text));
    require(entry.kind == IPT_SAN_NONE || ipt_san_equal(entry, entry));
    require((entry.kind == IPT_SAN_NONE) == (text[0] == '\0' || strchr(text, '*') != NULL));
    ipt_san name = {.kind = IPT_SAN_NONE};
    if (end != NULL && n + 2 <= size)
        name = (ipt_san){(ipt_san_kind)(data[n + 1] % 5), {(const char *)data + n + 2, size - n - 2}};
    check_pair(name, entry);
    require(ipt_san_is_allowed(&name, 1, allowed, 1) == ipt_san_equal(name, entry));
    const ipt_san both[] = {name, entry};
    ipt_span principal = ipt_san_principal(both, 2);
    require(principal.p == NULL || principal.p == name.text.p || principal.p == entry.text.p);
    free(text);
    return 0;
}
