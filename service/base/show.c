/* Escapes and cuts text that a message quotes: terminals obey control bytes, and input has no end. */
#include "iptrust/base/show.h"

const char *ipt_show(ipt_span text, ipt_shown *out)
{
    enum { SHOWN_MAX = 60 };
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < text.n && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c < 0x7f) {
            out->text[n++] = (char)c;
            continue;
        }
        out->text[n++] = '\\';
        out->text[n++] = 'x';
        out->text[n++] = hex[c >> 4];
        out->text[n++] = hex[c & 15];
    }
    if (text.n > SHOWN_MAX) {
        memcpy(out->text + n, "...", 3);
        n += 3;
    }
    out->text[n] = '\0';
    return out->text;
}
