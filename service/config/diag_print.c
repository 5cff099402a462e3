/* Diagnostics as lines of text. */
#include "iptrust/config/diag_print.h"

void ipt_diag_print(const ipt_diag *diag, ipt_buf *out)
{
    size_t printed = 0;
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        if (item->place.file != NULL && item->place.line != 0)
            ipt_buf_addf(out, "%s:%u:%u: ", item->place.file, item->place.line, item->place.column);
        else if (item->place.file != NULL)
            ipt_buf_addf(out, "%s: ", item->place.file);
        ipt_buf_addf(out, "%s: %s\n", item->severity == IPT_ERROR ? "error" : "warning", item->text);
        printed++;
    }
    size_t rest = diag->errors + diag->warnings - printed;
    if (rest != 0)
        ipt_buf_addf(out, "and %zu more\n", rest);
}
