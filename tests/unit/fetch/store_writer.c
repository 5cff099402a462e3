/* store_writer DIR: writes all of some records anew, one after the other, so that whoever kills it finds of each the
 * old or the new one. store_writer DIR read: prints which, a letter for each, and whether they are whole. */
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/fetch/store.h"

enum { RECORDS = 5, SIZE = 100000 };

static const char *name_of(unsigned record, char out[16])
{
    (void)snprintf(out, 16, "list-%u", record);
    return out;
}

/* The letter that the record is made of, `-` when there is none, `!` when it is not whole. */
static char letter_of(const ipt_store *store, unsigned record)
{
    ipt_auto(ipt_buf) bytes = {0};
    char why[IPT_STORE_WHY_MAX] = "", name[16];
    ipt_store_result result = ipt_store_read(store, name_of(record, name), &bytes, why);
    if (result == IPT_STORE_NONE)
        return '-';
    bool whole = result == IPT_STORE_OK && bytes.n == SIZE;
    for (size_t i = 0; whole && i < bytes.n; i++)
        whole = bytes.p[i] == bytes.p[0];
    return whole ? bytes.p[0] : '!';
}

int main(int argc, char **argv)
{
    static char bytes[SIZE], letters[RECORDS + 1];
    char why[IPT_STORE_WHY_MAX] = "", name[16];
    ipt_auto(ipt_store) *store = NULL;
    if (argc < 2 || ipt_store_open(argv[1], &store, why) != IPT_OK || why[0] != '\0') {
        fprintf(stderr, "store: %s\n", why);
        return 2;
    }
    for (unsigned i = 0; i < RECORDS; i++)
        letters[i] = letter_of(store, i);
    printf("%s\n", letters);
    fflush(stdout);
    memset(bytes, letters[RECORDS - 1] == 'a' ? 'b' : 'a', sizeof(bytes));
    for (unsigned i = 0; argc == 2 && i < RECORDS; i++) {
        if (ipt_store_write(store, name_of(i, name), (ipt_span){bytes, sizeof(bytes)}, why) != IPT_STORE_OK) {
            fprintf(stderr, "%s: %s\n", name, why);
            return 1;
        }
    }
    return 0;
}
