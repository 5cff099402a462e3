/* store_writer DIR: writes one of two records under one name, so that whoever kills it finds the old or the new one.
 * store_writer DIR read: prints which. */
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/fetch/store.h"

enum { SIZE = 100000 };

int main(int argc, char **argv)
{
    static char bytes[SIZE];
    char why[IPT_STORE_WHY_MAX] = "";
    ipt_store *store;
    ipt_buf old = {0};
    if (argc < 2 || ipt_store_open(argv[1], &store, why) != IPT_OK || why[0] != '\0') {
        fprintf(stderr, "store: %s\n", why);
        return 2;
    }
    ipt_store_result result = ipt_store_read(store, "list", &old, why);
    char was = result == IPT_STORE_OK && old.n != 0 ? old.p[0] : '-';
    bool whole = result != IPT_STORE_OK || old.n == SIZE;
    for (size_t i = 0; i < old.n; i++)
        whole = whole && old.p[i] == was;
    printf("%c %s\n", was, whole && result != IPT_STORE_FAILED ? "whole" : "broken");
    fflush(stdout);
    if (argc == 2) {
        memset(bytes, was == 'a' ? 'b' : 'a', sizeof(bytes));
        result = ipt_store_write(store, "list", (ipt_span){bytes, sizeof(bytes)}, why);
        printf("%s\n", result == IPT_STORE_OK ? "written" : why);
    }
    ipt_buf_done(&old);
    ipt_store_close(store);
    return result == IPT_STORE_OK || argc > 2 ? 0 : 1;
}
