/* Headers and attributes of a request. What HTTP cannot carry in a name or value is refused here, so that no later line
 * has to ask; other control bytes pass and make their entry malformed. */
#include "json_read_priv.h"

static bool set_name(const ipt_tape *tape, uint32_t at, ipt_header *header)
{
    if (!ipt_json_expect(tape, at, IPT_TAPE_STRING, "a string"))
        return false;
    header->name = ipt_tape_text(tape, at);
    if (header->name.n == 0)
        return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_HEADER, "a name must not be empty");
    if (ipt_tape_was_escaped(tape, at) && !ipt_header_is_carried(header->name))
        return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_HEADER, "a name must not contain NUL, CR or LF");
    return true;
}

/* RFC 9110, 5.5: the white space around a field value is no part of it. */
static bool set_value(const ipt_tape *tape, uint32_t at, ipt_span value, bool was_coded, ipt_header *header)
{
    if (was_coded && !ipt_header_is_carried(value))
        return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_HEADER, "a value must not contain NUL, CR or LF");
    header->value = ipt_span_trim(value);
    return true;
}

static bool set_string(const ipt_tape *tape, uint32_t at, ipt_header *header)
{
    return ipt_json_expect(tape, at, IPT_TAPE_STRING, "a string") &&
           set_value(tape, at, ipt_tape_text(tape, at), ipt_tape_was_escaped(tape, at), header);
}

/* {"base64": "..."}: for bytes that are not UTF-8. */
static bool set_bytes(const ipt_tape *tape, uint32_t at, ipt_header *header)
{
    if (tape->items[at].kind != IPT_TAPE_OBJECT || tape->items[at].n == 0)
        return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_REQUEST, "must be a string or {\"base64\": \"...\"}");
    uint32_t base64 = 0;
    for (uint32_t key = at + 1; key < tape->items[at].end; key = tape->items[key + 1].end) {
        if (!ipt_span_equal(ipt_tape_text(tape, key), IPT_SPAN("base64")))
            return ipt_reading_fail(tape, key, IPT_PROBLEM_UNKNOWN_KEY,
                                    "a header's value has the key \"base64\" alone");
        base64 = key + 1;
    }
    ipt_span bytes;
    return ipt_json_read_base64(tape, base64, &bytes) && set_value(tape, base64, bytes, true, header);
}

static ipt_header *room_for(const ipt_tape *tape, uint32_t at, size_t count)
{
    ipt_header *headers = ipt_arena_alloc(tape->arena, count * sizeof(*headers));
    if (headers == NULL)
        (void)ipt_reading_fail(tape, at, IPT_PROBLEM_INTERNAL, "no memory to read the request");
    return headers;
}

static bool read_pairs(const ipt_tape *tape, uint32_t at, ipt_request *request)
{
    const ipt_tape_item *items = tape->items;
    ipt_header *headers = room_for(tape, at, items[at].n);
    if (headers == NULL)
        return false;
    size_t count = 0;
    for (uint32_t pair = at + 1; pair < items[at].end; pair = items[pair].end) {
        if (items[pair].kind != IPT_TAPE_ARRAY || items[pair].n != 2)
            return ipt_reading_fail(tape, pair, IPT_PROBLEM_BAD_REQUEST, "must be an array of a name and a value");
        ipt_header *header = &headers[count++];
        if (!set_name(tape, pair + 1, header))
            return false;
        uint32_t value = pair + 2;
        if (!(items[value].kind == IPT_TAPE_STRING ? set_string : set_bytes)(tape, value, header))
            return false;
    }
    request->headers = headers;
    request->header_count = count;
    return true;
}

/* Lines that a map stands for: a string is one, a list has as many as it has strings. */
static size_t count_lines(const ipt_tape *tape, uint32_t at)
{
    size_t lines = 0;
    for (uint32_t key = at + 1; key < tape->items[at].end; key = tape->items[key + 1].end)
        lines += tape->items[key + 1].kind == IPT_TAPE_ARRAY ? tape->items[key + 1].n : 1;
    return lines;
}

static bool read_map_member(const ipt_tape *tape, uint32_t key, ipt_header *headers, size_t *count)
{
    const ipt_tape_item *items = tape->items;
    ipt_header named, *header;
    uint32_t value = key + 1;
    if (!set_name(tape, key, &named))
        return false;
    if (items[value].kind != IPT_TAPE_ARRAY && items[value].kind != IPT_TAPE_STRING)
        return ipt_reading_fail(tape, value, IPT_PROBLEM_BAD_REQUEST, "must be a string or an array of strings");
    bool is_list = items[value].kind == IPT_TAPE_ARRAY;
    for (uint32_t line = is_list ? value + 1 : value; line < items[value].end; line = items[line].end) {
        header = &headers[(*count)++];
        header->name = named.name;
        if (!set_string(tape, line, header))
            return false;
    }
    return true;
}

static bool read_map(const ipt_tape *tape, uint32_t at, ipt_request *request)
{
    uint32_t twin;
    if (!ipt_tape_find_twin(tape, at, ipt_span_compare_nocase, &twin))
        return ipt_reading_fail(tape, at, IPT_PROBLEM_INTERNAL, "no memory to read the request");
    /* Exact twins were refused with the text. */
    if (twin != 0)
        return ipt_reading_fail(tape, twin, IPT_PROBLEM_AMBIGUOUS_HEADER, "two keys differ only in case");

    ipt_header *headers = room_for(tape, at, count_lines(tape, at));
    if (headers == NULL)
        return false;
    size_t count = 0;
    for (uint32_t key = at + 1; key < tape->items[at].end; key = tape->items[key + 1].end) {
        if (!read_map_member(tape, key, headers, &count))
            return false;
    }
    request->headers = headers;
    request->header_count = count;
    request->headers_merged = true; /* the order of lines of different names is lost, and who knows what else */
    return true;
}

bool ipt_json_read_headers(const ipt_tape *tape, uint32_t at, ipt_request *request)
{
    if (tape->items[at].kind == IPT_TAPE_ARRAY)
        return read_pairs(tape, at, request);
    if (tape->items[at].kind == IPT_TAPE_OBJECT)
        return read_map(tape, at, request);
    return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_REQUEST, "must be an array of [name, value] or an object");
}

bool ipt_json_read_attributes(const ipt_tape *tape, uint32_t at, ipt_request *request)
{
    if (!ipt_json_expect(tape, at, IPT_TAPE_OBJECT, "an object"))
        return false;
    ipt_header *attributes = room_for(tape, at, tape->items[at].n);
    if (attributes == NULL)
        return false;
    size_t count = 0;
    for (uint32_t key = at + 1; key < tape->items[at].end; key = tape->items[key + 1].end) {
        ipt_header *attribute = &attributes[count++];
        if (!set_name(tape, key, attribute) || !set_string(tape, key + 1, attribute))
            return false;
    }
    request->attributes = attributes;
    request->attribute_count = count;
    return true;
}
