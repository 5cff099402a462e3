"""Seeded mutants of the decision: small changes a tired engineer could make, each with the check that is meant to see it.

`catches` names the property whose failure must be seen ("I2", "detail"), or "golden". A text must stand exactly once in its
file: a mutant that no longer applies fails the run, so that none rots unseen."""

import collections

Mutant = collections.namedtuple("Mutant", "name catches file changes")

MUTANTS = [
    Mutant("connection-of-a-stranger", "I1", "service/resolve/confidence.c", [
        ("    if (w->peer_trusted && w->headers_read)\n        each_nominated(w, rate_nomination);",
         "    if (w->out->chain_count != 0)\n        each_nominated(w, rate_nomination);"),
    ]),
    Mutant("too-many-entries-are-refused", "I2", "service/resolve/walk.c", [
        ("    if (it == NULL) {\n        end_without_entry(w, own);",
         "    if (it == NULL || entries_unused(w) > IPT_WALK_MAX) {\n        end_without_entry(w, own);"),
    ]),
    Mutant("origin-caps-nothing", "I3", "service/resolve/confidence.c", [
        ("    w->out->level = ipt_level_from_reasons(w->out->reasons);", "    w->out->level = ipt_level_from_reasons(w->reasons);"),
    ]),
    Mutant("proof-lifts-medium", "I3", "service/resolve/words.c", [
        ("        return IPT_LEVEL_MEDIUM;\n    return set & BIT(PROOF_VERIFIED)",
         "        return set & BIT(PROOF_VERIFIED) ? IPT_LEVEL_AUTHENTICATED : IPT_LEVEL_MEDIUM;\n    return set & BIT(PROOF_VERIFIED)"),
    ]),
    Mutant("bad-entry-is-skipped", "I4", "service/resolve/walk.c", [
        ("        end_with_bad_entry(w, it);\n        return false;",
         "        (void)push_entry(w, it, bad_entry_verdict(it->kind));\n        return true;"),
        ("static void end_with_bad_entry(work *w, const item *it)\n{\n"
         "    (void)push_entry(w, it, bad_entry_verdict(it->kind));\n"
         "    end_at(w, w->cur, bad_entry_reason(it->kind));\n}\n", ""),
    ]),
    Mutant("index-off-by-one", "I4", "service/resolve/entries.c", [
        ("    hop->index = (uint32_t)e->left;", "    hop->index = (uint32_t)e->left + 1;"),
    ]),
    Mutant("egress-is-a-hop", "I4", "service/view/judge.c", [
        ("            return (ipt_judgement){.list = IPT_LIST_NONE, .egress = true};", "            continue;"),
        ("        if (member->tag & IPT_EGRESS_TAG) /*", "        if (member->tag & IPT_EGRESS_TAG && policy->rank == NULL) /*"),
    ]),
    Mutant("last-line-alone", "I5", "service/resolve/entries.c", [
        ("    if (e->line == 0)\n        return false;\n    do", "    if (e->line == 0 || e->count != 0)\n        return false;\n    do"),
    ]),
    Mutant("upper-case-is-no-digit", "I6", "service/net/addr.c", [
        ("_mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'))",
         "_mm_sub_epi8(text, _mm_set1_epi8('a'))"),
    ]),
    Mutant("empty-list-trusts-all", "I7 emptied", "service/resolve/step.c", [
        ("    if (judgement->list == IPT_LIST_NONE)\n        return STEP_UNTRUSTED;",
         "    for (size_t i = 0; judgement->list == IPT_LIST_NONE && i < w->policy->spec->trust_count; i++)\n"
         "        if (w->view->lists[w->policy->spec->trust[i]].empty)\n"
         "            judgement->list = w->policy->spec->trust[i];\n"
         "    if (judgement->list == IPT_LIST_NONE)\n        return STEP_UNTRUSTED;"),
    ]),
    Mutant("old-lists-need-no-proof", "I7 aged", "service/resolve/confidence.c", [
        ("        if (proof == PROOF_FAILED)\n", "        if (proof == PROOF_FAILED && w->view->freshness[hop->list] == IPT_FRESH)\n"),
    ]),
    Mutant("names-are-looked-up", "I8", "service/net/addr.c", [
        ('#include "addr_priv.h"\n',
         '#include "addr_priv.h"\n#include <netdb.h>\n'
         "int ipt_addr_look_up(const char *name, struct addrinfo **out);\n"
         "int ipt_addr_look_up(const char *name, struct addrinfo **out)\n"
         "{\n    return getaddrinfo(name, NULL, NULL, out);\n}\n"),
    ]),
    Mutant("count-of-the-last-answer", "I9", "service/resolve/confidence.c", [("    w->out->unvouched_count = 0;\n", "")]),
    Mutant("first-header-in-the-request-leads", "I10", "service/resolve/walk.c", [
        ("i < w->policy->spec->read_count && lead == IPT_NAME_NONE; i++", "i < w->policy->spec->read_count; i++"),
        ("vouch_of(w, hop, name) != IPT_VOUCH_NONE)\n            lead = name;",
         "vouch_of(w, hop, name) != IPT_VOUCH_NONE &&\n"
         "            (lead == IPT_NAME_NONE || w->headers.lines[name].first < w->headers.lines[lead].first))\n"
         "            lead = name;"),
    ]),
    Mutant("short-answer-counts-nothing", "detail", "service/resolve/confidence.c", [
        ("        size_t unused = entries_unused(w);",
         "        size_t unused = w->detail == IPT_DETAIL_FULL ? entries_unused(w) : 0;"),
    ]),
    Mutant("trust-may-rise", "golden", "service/resolve/step.c", [
        ("        return STEP_INVERSION;\n", "        return STEP_TRUSTED;\n"),
    ]),
    Mutant("any-provider-behind-any", "golden", "service/resolve/step.c", [
        ("    return is_allowed_chain(w, judgement->list, inner) ? STEP_TRUSTED : STEP_CHANGE;",
         "    return is_allowed_chain(w, inner, judgement->list) ? STEP_TRUSTED : STEP_CHANGE;"),
    ]),
    Mutant("last-list-labels", "golden", "service/view/judge.c", [
        ("        if (rank < best) {", "        if (best == IPT_RANK_NONE || rank > best) {"),
    ]),
    Mutant("broad-is-one-bit-wider", "golden", "service/net/prefix.c", [("bits < (v4 ? 12 : 29)", "bits < (v4 ? 11 : 28)")]),
    Mutant("a-secret-may-repeat", "golden", "service/resolve/proof.c", [
        ("count_values(w, proof->header, &value) != 1)", "count_values(w, proof->header, &value) == 0)"),
    ]),
    Mutant("principal-of-any-caller", "golden", "service/resolve/proof.c", [
        ("w->request->caller == IPT_CALLER_TRUSTED && w->request->principal.n", "w->request->principal.n"),
    ]),
    Mutant("checksum-unchecked", "golden", "service/wire/proxy_v2.c", [
        ("== proxy->crc32c ? IPT_PROXY_OK : IPT_PROXY_CRC32C;", "!= 0 ? IPT_PROXY_OK : IPT_PROXY_OK;"),
    ]),
    Mutant("a-rule-is-not-looked-up", "golden", "service/resolve/geo.c", [
        ("uint64_t wanted = shown ? IPT_GEO_ALL : w->policy->geo_rules;", "uint64_t wanted = shown ? IPT_GEO_ALL : 0;"),
    ]),
    Mutant("not-covered-is-a-no", "golden", "service/resolve/rules.c", [
        ("w->geo_asked && ipt_geo_covers(w->view->geo, &d->geo, fields);", "w->geo_asked && ipt_geo_fields(w->view->geo) >= (fields & 1);"),
    ]),
    Mutant("country-of-an-incomplete-client", "golden", "service/resolve/rules.c", [
        ("return d->has_client && d->complete && w->geo_asked", "return d->has_client && w->geo_asked"),
    ]),
    Mutant("hosting-is-anonymous", "golden", "service/resolve/rules.c", [
        ("uint64_t left = geo->present & IPT_GEO_ANONYMITY;",
         "uint64_t left = geo->present & (IPT_GEO_ANONYMITY | IPT_GEO_BIT(IPT_GEO_IS_HOSTING_PROVIDER));"),
    ]),
    Mutant("anyone-names-the-country", "golden", "service/resolve/geo.c", [
        ("if (!is_vouched_context(&w->out->context, name) || count_values", "if (count_values"),
        ("static bool is_vouched_context(const ipt_context *context, ipt_name name)",
         "__attribute__((unused)) static bool is_vouched_context(const ipt_context *context, ipt_name name)"),
    ]),
    Mutant("xx-is-a-country", "golden", "service/resolve/geo.c", [
        ('if (text.n != 2 || ipt_span_equal_nocase(text, IPT_SPAN("xx")))', "if (text.n != 2)"),
    ]),
    Mutant("isatap-is-looked-up", "golden", "service/view/geo.c", [
        ("embedding == IPT_EMBEDS_NAT64 || embedding == IPT_EMBEDS_6TO4 || embedding == IPT_EMBEDS_TEREDO;", "embedding != IPT_EMBEDS_NONE;"),
    ]),
    Mutant("the-last-file-wins", "golden", "service/geo/set.c", [
        ("const geo_database *database = geo->slots[i].database;\n        if (database == NULL || (database->fields & wanted & ~out->present) == 0)",
         "const geo_database *database = geo->slots[geo->count - 1 - i].database;\n"
         "        if (database == NULL || (database->fields & wanted & ~out->present) == 0)"),
        ("out->not_covered |= UINT32_C(1) << i;", "out->not_covered |= UINT32_C(1) << (geo->count - 1 - i);"),
        ("(void)geo_database_ask(database, addr, wanted, (uint8_t)i, out);",
         "(void)geo_database_ask(database, addr, wanted, (uint8_t)(geo->count - 1 - i), out);"),
    ]),
    Mutant("network-zero", "golden", "service/geo/lookup.c", [("               out->uint != 0;", "               true;")]),
    Mutant("an-empty-text-is-told", "golden", "service/geo/lookup.c", [
        ("data->type != MMDB_DATA_TYPE_UTF8_STRING || data->data_size == 0)", "data->type != MMDB_DATA_TYPE_UTF8_STRING)"),
    ]),
]
