/* Frames as they come, by their heads alone: what costs us work without asking anything is counted, also what the
 * library ignores; and a frame that does not come to its end is seen. */
#include "h2_priv.h"

enum { HEAD = 9, PREFACE = 24 };

void h2_place_init(h2_place *place)
{
    *place = (h2_place){.left = PREFACE};
}

/* The kind of a frame that is counted; H2_EVENTS: of one that is not. */
static h2_event kind_of(uint8_t type, uint8_t flags, uint32_t length)
{
    switch (type) {
    case NGHTTP2_HEADERS:
        return H2_EVENTS;
    case NGHTTP2_DATA:
        /* Nobody pads gRPC, and padding alone is as good as nothing. */
        return (length == 0 || (flags & NGHTTP2_FLAG_PADDED) != 0) && (flags & NGHTTP2_FLAG_END_STREAM) == 0
                   ? H2_EVENT_EMPTY_DATA
                   : H2_EVENTS;
    case NGHTTP2_RST_STREAM:
        return H2_EVENT_RESET_IN;
    case NGHTTP2_PING: /* answers to ours, and to nothing, too */
        return H2_EVENT_PING;
    case NGHTTP2_SETTINGS:
        return H2_EVENT_SETTINGS;
    case NGHTTP2_WINDOW_UPDATE:
        return H2_EVENT_WINDOW;
    default:
        return H2_EVENT_CONTROL;
    }
}

static bool begin_frame(h2_conn *conn)
{
    h2_place *place = &conn->place;
    const uint8_t *head = place->head;
    uint8_t type = head[3], flags = head[4];
    place->left = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    place->have = 0;
    if (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION)
        place->in_block = (flags & NGHTTP2_FLAG_END_HEADERS) == 0;
    h2_event event = kind_of(type, flags, place->left);
    return event == H2_EVENTS || h2_flood_ok(&conn->flood, event, conn->loop->now);
}

bool h2_place_walk(h2_conn *conn, const uint8_t *bytes, size_t n)
{
    h2_place *place = &conn->place;
    bool moved = false; /* a frame has come to its end */
    for (size_t at = 0; at < n;) {
        if (place->left != 0) {
            size_t take = n - at < place->left ? n - at : place->left;
            at += take;
            place->left -= (uint32_t)take;
        } else {
            place->head[place->have++] = bytes[at++];
            if (place->have < HEAD)
                continue;
            if (!begin_frame(conn))
                return false;
        }
        moved = moved || (place->left == 0 && !place->in_block);
    }
    bool within = place->left != 0 || place->have != 0 || place->in_block;
    if (!within)
        conn->frame_by = INT64_MAX;
    else if (moved || conn->frame_by == INT64_MAX)
        conn->frame_by = conn->loop->now + h2_ms(H2_HEADERS_MS);
    return true;
}
