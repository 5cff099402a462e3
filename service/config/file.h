/* Whole files in memory. */
#ifndef IPTRUST_CONFIG_FILE_H
#define IPTRUST_CONFIG_FILE_H

#include "iptrust/base/buf.h"

typedef enum ipt_file_result {
    IPT_FILE_OK = 0,
    IPT_FILE_ERROR,   /* errno says why */
    IPT_FILE_SPECIAL, /* a directory, a device, a pipe */
    IPT_FILE_TOO_BIG,
    IPT_FILE_NO_MEMORY,
} ipt_file_result;

/* Appends the contents to out. */
IPT_MUST_USE ipt_file_result ipt_file_read(const char *path, size_t most, ipt_buf *out);

/* Whether text of a file can be all of it: whoever is still writing has seldom just ended a line. */
bool ipt_file_is_whole(ipt_span text);
#define IPT_FILE_CUT_SHORT "is empty or does not end with a line feed: it may be cut short, and is not taken"

/* "cannot be read: No such file or directory", for every result but OK and NO_MEMORY. */
void ipt_file_complain(ipt_file_result result, size_t most, char *out, size_t cap);

#endif
