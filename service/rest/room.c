/* How much of libmicrohttpd's memory of a connection the head of a request leaves for the head of its answer. Where
 * nothing is left the library closes without an answer (0.9.75, measured), so that a client could choose to get none.
 */
#include "rest_priv.h"

#include <string.h>

/* The library keeps one record a header, a cookie and a query argument, the shortest of which take two bytes of the
 * head, and parses cookies in a copy. */
enum { RECORD = 64, WORST = 1 + RECORD / 2 + 1 };

bool rest_has_room(const rest_conn *conn, size_t bytes)
{
    struct MHD_Connection *mhd = conn->request.mhd;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info == NULL)
        return false;
    if (info->header_size * WORST + bytes <= REST_POOL_BYTES)
        return true;
    int records = MHD_get_connection_values(mhd, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, NULL, NULL);
    const char *cookies = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE);
    size_t used = info->header_size + (records < 0 ? 0 : (size_t)records * RECORD);
    used += cookies == NULL ? 0 : strlen(cookies) + 1;
    return used + bytes <= REST_POOL_BYTES;
}

/* Past the library, and so in the clear alone: under TLS the connection ends without a word. */
enum MHD_Result rest_refuse_without_room(rest_conn *conn)
{
    static const char answer[] = "HTTP/1.1 431 Request Header Fields Too Large\r\nCache-Control: no-store\r\n"
                                 "Content-Length: 0\r\nConnection: close\r\n\r\n";
    if (conn->tls_files == NULL)
        (void)send(conn->fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return MHD_NO;
}
