/* The decision as a page: for the browser that opens the daemon's address, and to be kept with a ticket. One file, one
 * inline style, no script, nothing from elsewhere. */
#include "explain_priv.h"

/* The page may load nothing, run nothing and be framed by nobody. The hash is that of `style` below;
 * tests/system/cli_test.py holds them against each other. */
#define STYLE_HASH "Pmllhygw1f+uRnfYQbm5qRvvz1vhA2eg4NSkoK/ZYeY="
#define CSP        "default-src 'none'; style-src 'sha256-" STYLE_HASH "'; base-uri 'none'; form-action 'none'"

static const char style[] =
    ":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2330;--soft:#5c6675;--line:#d5dae2;--good:#1a7f45;"
    "--fair:#9a6200;--poor:#b3261e;--hop:#1f5fbf;--code:#eef1f5}"
    "@media(prefers-color-scheme:dark){:root{--bg:#12161d;--card:#1b212b;--ink:#e4e8ef;--soft:#98a3b3;--line:#333c4a;"
    "--good:#5fcf8f;--fair:#e5b454;--poor:#ff8a80;--hop:#7fb2ff;--code:#232b37}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:52rem;margin:0 auto;padding:1.5rem 1rem 3rem}"
    "h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0}"
    "h2{font-size:1.05rem;margin:2rem 0 .6rem}"
    "p{margin:.4rem 0}"
    "code,pre,.a{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.2rem}"
    ".who{font-size:clamp(1.4rem,6vw,2.4rem);font-weight:700;overflow-wrap:anywhere;line-height:1.2;margin:.2rem 0 "
    ".5rem}"
    ".level{display:inline-block;border:1.5px solid;border-radius:1rem;padding:.05rem .7rem;font-weight:600}"
    ".good{color:var(--good)}.fair{color:var(--fair)}.poor{color:var(--poor)}"
    "ol{list-style:none;margin:0;padding:0}"
    "ol li{position:relative;padding:.1rem 0 1rem 2rem}"
    "ol li::before{content:\"\";position:absolute;left:.45rem;top:.45rem;width:.8rem;height:.8rem;border-radius:50%;"
    "background:var(--soft)}"
    "ol li::after{content:\"\";position:absolute;left:.8rem;top:1.4rem;bottom:-.3rem;border-left:2px solid var(--line)}"
    "ol li:last-child::after{display:none}"
    "li.us::before{background:var(--ink);border-radius:.15rem}"
    "li.trusted::before{background:var(--hop)}"
    "li.client::before{background:var(--good)}"
    "li.odd::before{background:var(--fair)}"
    "li.stop{color:var(--poor);font-weight:600}"
    "li.stop::before{background:var(--poor);border-radius:.15rem;transform:rotate(45deg)}"
    "li.lost{color:var(--soft)}"
    "li.lost::before{background:none;border:2px dashed var(--soft)}"
    "li.lost .a{text-decoration:line-through;text-decoration-thickness:1px}"
    ".a{font-weight:600;overflow-wrap:anywhere}"
    ".tag{font-size:.8rem;border:1px solid var(--line);border-radius:.3rem;padding:0 .4rem;margin:0 .3rem;"
    "white-space:nowrap}"
    ".soft{color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}"
    "dl{margin:0}dt{margin-top:.8rem;overflow-wrap:anywhere}dt:first-child{margin-top:0}dd{margin:.1rem 0 0}"
    "pre{background:var(--code);border-radius:.4rem;padding:.7rem .9rem;overflow-x:auto;font-size:.88rem;margin:.6rem "
    "0}"
    ".advice+.advice{margin-top:1rem;border-top:1px solid var(--line);padding-top:1rem}"
    "table{border-collapse:collapse}td{padding:.1rem 1.2rem .1rem 0;overflow-wrap:anywhere}"
    "footer{margin-top:2rem;color:var(--soft);font-size:.85rem}";

const char *ipt_explain_csp(void)
{
    return CSP;
}

static void escape(ipt_buf *out, ipt_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            ipt_buf_adds(out, "&amp;");
            break;
        case '<':
            ipt_buf_adds(out, "&lt;");
            break;
        case '>':
            ipt_buf_adds(out, "&gt;");
            break;
        case '"':
            ipt_buf_adds(out, "&quot;");
            break;
        case '\'':
            ipt_buf_adds(out, "&#39;");
            break;
        default:
            ipt_buf_addc(out, text.p[i]);
            break;
        }
    }
}

/* Words written on the side; without memory there, the page is void as well. */
static void put(ipt_buf *out, const ipt_buf *words)
{
    out->failed |= words->failed;
    if (!words->failed)
        escape(out, ipt_buf_span(words));
}

/* Whether anything was written on the side. */
static bool any(ipt_buf *out, const ipt_buf *words)
{
    out->failed |= words->failed;
    return words->n != 0 && !words->failed;
}

static const char *level_class(ipt_level level)
{
    return level >= IPT_LEVEL_HIGH ? "good" : level == IPT_LEVEL_MEDIUM ? "fair" : "poor";
}

static void write_head(ipt_buf *out, const ipt_decision *d)
{
    char text[IPT_ADDR_TEXT] = "unknown";

    if (d->has_client)
        (void)ipt_addr_format(d->client, text);
    ipt_buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"" CSP "\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    ipt_buf_addf(out, "<title>Client %s, confidence %s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", text,
                 ipt_level_name(d->level), style);
}

static void write_answer(ipt_buf *out, const ipt_decision *d)
{
    char text[IPT_ADDR_TEXT] = "unknown";
    ipt_auto(ipt_buf) headline = {0};

    if (d->has_client)
        (void)ipt_addr_format(d->client, text);
    ipt_explain_headline(&headline, d);
    ipt_buf_addf(out,
                 "<section class=\"card\">\n<h1>Who is the client, and why?</h1>\n<p class=\"who\">%s</p>\n"
                 "<p><span class=\"level %s\">confidence %s</span></p>\n<p>",
                 text, level_class(d->level), ipt_level_name(d->level));
    put(out, &headline);
    ipt_buf_adds(out, "</p>\n</section>\n");
}

static const char *hop_class(const ipt_hop *hop)
{
    switch ((ipt_verdict)hop->verdict) {
    case IPT_VERDICT_TRUSTED:
    case IPT_VERDICT_OWN:
    case IPT_VERDICT_COUNTED:
        return "trusted";
    case IPT_VERDICT_CLIENT:
        return "client";
    case IPT_VERDICT_MALFORMED:
    case IPT_VERDICT_OBFUSCATED:
    case IPT_VERDICT_EMPTY:
        return "odd";
    case IPT_VERDICT_UNVOUCHED:
    case IPT_VERDICT_NOT_EXAMINED:
        break;
    }
    return "lost";
}

static void write_hop(ipt_buf *out, const ipt_decision *d, size_t index)
{
    const ipt_hop *hop = &d->chain[index];
    ipt_auto(ipt_buf) name = {0};
    ipt_auto(ipt_buf) origin = {0};
    ipt_auto(ipt_buf) detail = {0};

    ipt_explain_hop_name(&name, hop);
    ipt_explain_hop_origin(&origin, d, hop);
    ipt_explain_hop_detail(&detail, d, index);
    ipt_buf_addf(out, "<li class=\"%s\"><span class=\"a\">", hop_class(hop));
    put(out, &name);
    ipt_buf_addf(out, "</span> <span class=\"tag\">%s</span> <span class=\"soft\">hop %zu, ",
                 ipt_explain_hop_verdict(d, index), index);
    put(out, &origin);
    ipt_buf_adds(out, "</span>");
    if (d->has_client && index == d->client_hop && hop->verdict != IPT_VERDICT_CLIENT)
        ipt_buf_addf(out, "<br><span class=\"%s\">the answer, for want of a better one</span>", level_class(d->level));
    if (any(out, &detail)) {
        ipt_buf_adds(out, "<br><span class=\"soft\">");
        put(out, &detail);
        ipt_buf_adds(out, "</span>");
    }
    ipt_buf_adds(out, "</li>\n");
}

static void write_ignored(ipt_buf *out, const ipt_decision *d)
{
    ipt_explain_ignored cursor = {0};

    while (ipt_explain_ignored_next(d, &cursor)) {
        ipt_auto(ipt_buf) text = {0};
        ipt_explain_escape(&text, cursor.name, IPT_TEXT_MAX);
        ipt_buf_adds(&text, ": ");
        ipt_explain_escape(&text, cursor.value, IPT_TEXT_MAX);
        ipt_buf_adds(out, "<li class=\"lost\"><span class=\"a\">");
        put(out, &text);
        ipt_buf_adds(out, "</span> <span class=\"tag\">ignored</span></li>\n");
    }
}

static void write_chain(ipt_buf *out, const ipt_decision *d)
{
    ipt_auto(ipt_buf) reason = {0};
    ipt_explain_ignored cursor = {0};
    size_t stop = ipt_explain_stop(d);

    ipt_buf_addf(out,
                 "<h2>The way of the request, from our side outwards</h2>\n<section class=\"card\">\n<ol>\n"
                 "<li class=\"us\">our service <span class=\"soft\">policy %s</span></li>\n",
                 d->policy->spec->name);
    for (size_t i = 0; i < stop; i++)
        write_hop(out, d, i);
    ipt_explain_stop_reason(&reason, d);
    ipt_buf_adds(out, "<li class=\"stop\">The walk stops here: ");
    put(out, &reason);
    if (stop < d->chain_count || ipt_explain_ignored_next(d, &cursor))
        ipt_buf_adds(out, ".<br><span class=\"soft\">What follows is ignored: anybody could have written it.</span>");
    ipt_buf_adds(out, "</li>\n");
    for (size_t i = stop; i < d->chain_count; i++)
        write_hop(out, d, i);
    write_ignored(out, d);
    ipt_buf_adds(out, "</ol>\n</section>\n");
}

static void write_advice(ipt_buf *out, const ipt_decision *d)
{
    ipt_auto(ipt_advices) advices = {0};

    ipt_advices_make(&advices, d);
    if (advices.count == 0)
        return;
    ipt_buf_adds(out, "<h2>What to change</h2>\n<section class=\"card\">\n");
    for (size_t i = 0; i < advices.count; i++) {
        ipt_buf_adds(out, "<div class=\"advice\"><p>");
        put(out, &advices.items[i].words);
        ipt_buf_adds(out, "</p>\n");
        if (any(out, &advices.items[i].yaml)) {
            ipt_buf_adds(out, "<pre>");
            put(out, &advices.items[i].yaml);
            ipt_buf_adds(out, "</pre>\n");
        }
        ipt_buf_adds(out, "</div>\n");
    }
    ipt_buf_adds(out, "</section>\n");
}

static void write_reasons(ipt_buf *out, const ipt_decision *d)
{
    ipt_buf_addf(out, "<h2>Why confidence %s: the lowest of these counts</h2>\n<section class=\"card\">\n<dl>\n",
                 ipt_level_name(d->level));
    for (unsigned i = 0; i < IPT_REASON_COUNT; i++) {
        ipt_auto(ipt_buf) subject = {0};
        ipt_level cap = IPT_LEVEL_NONE;
        if (!ipt_explain_has(d, (ipt_reason)i))
            continue;
        ipt_buf_addf(out, "<dt><code>%s</code>", ipt_reason_name((ipt_reason)i));
        ipt_explain_reason_subject(&subject, d, (ipt_reason)i);
        if (any(out, &subject)) {
            ipt_buf_adds(out, " (");
            put(out, &subject);
            ipt_buf_addc(out, ')');
        }
        if (ipt_reason_cap((ipt_reason)i, &cap))
            ipt_buf_addf(out, " <span class=\"tag %s\">at most %s</span>", level_class(cap), ipt_level_name(cap));
        ipt_buf_adds(out, "</dt>\n<dd>");
        escape(out, ipt_span_from(ipt_reason_meaning((ipt_reason)i)));
        ipt_buf_adds(out, "</dd>\n");
    }
    ipt_buf_adds(out, "</dl>\n</section>\n");
}

static void write_findings(ipt_buf *out, const ipt_decision *d)
{
    if (d->finding_count == 0)
        return;
    ipt_buf_adds(out, "<h2>Noticed besides</h2>\n<section class=\"card\">\n<dl>\n");
    for (size_t i = 0; i < d->finding_count; i++) {
        ipt_auto(ipt_buf) header = {0};
        ipt_explain_escape(&header, d->findings[i].header, IPT_TEXT_MAX);
        for (size_t j = 0; j < header.n; j++)
            header.p[j] = ipt_lower(header.p[j]);
        ipt_buf_addf(out, "<dt><code>%s</code> <span class=\"soft\">", ipt_finding_name(d->findings[i].code));
        put(out, &header);
        ipt_buf_adds(out, "</span></dt>\n<dd>");
        escape(out, ipt_span_from(ipt_finding_meaning(d->findings[i].code)));
        ipt_buf_adds(out, "</dd>\n");
    }
    ipt_buf_adds(out, "</dl>\n</section>\n");
}

static void write_keys(ipt_buf *out, const ipt_decision *d)
{
    ipt_buf_adds(out, "<h2>Keys</h2>\n<section class=\"card\">\n<table>\n");
    for (unsigned i = 0; i < IPT_EXPLAIN_KEYS; i++) {
        ipt_auto(ipt_buf) value = {0};
        ipt_explain_keys(&value, d, i);
        ipt_buf_addf(out, "<tr><td><code>%s</code></td><td class=\"%s\">", ipt_explain_key_name(i),
                     any(out, &value) ? "a" : "soft");
        if (!any(out, &value))
            ipt_buf_adds(out, "none");
        put(out, &value);
        ipt_buf_adds(out, "</td></tr>\n");
    }
    ipt_buf_adds(out, "</table>\n</section>\n");
}

static void write_geo(ipt_buf *out, const ipt_decision *d)
{
    const char *silence = ipt_explain_geo_silence(d);
    if (!d->has_geo && silence == NULL)
        return;
    ipt_buf_addf(out, "<h2>Where the client is%s</h2>\n<section class=\"card\">\n<table>\n",
                 d->has_geo && d->geo.embedded ? ", by the IPv4 address that it carries" : "");
    if (silence != NULL)
        ipt_buf_addf(out, "<tr><td class=\"soft\">%s</td></tr>\n", silence);
    for (unsigned i = 0; i < IPT_EXPLAIN_GEO && silence == NULL; i++) {
        ipt_auto(ipt_buf) value = {0};
        ipt_explain_geo(&value, d, i);
        ipt_buf_addf(out, "<tr><td><code>%s</code></td><td class=\"%s\">", ipt_explain_geo_name(i),
                     any(out, &value) ? "a" : "soft");
        if (!any(out, &value))
            ipt_buf_adds(out, "unknown");
        put(out, &value);
        ipt_buf_adds(out, "</td></tr>\n");
    }
    ipt_buf_adds(out, "</table>\n</section>\n");
}

void ipt_explain_html(ipt_buf *out, const ipt_decision *decision)
{
    write_head(out, decision);
    write_answer(out, decision);
    write_chain(out, decision);
    write_advice(out, decision);
    write_reasons(out, decision);
    write_findings(out, decision);
    write_geo(out, decision);
    write_keys(out, decision);
    ipt_buf_addf(out, "<footer>iptrustd %s, policy %s, revision %s of the policies, %s of the lists.</footer>\n",
                 IPTRUST_VERSION, decision->policy->spec->name, decision->view->policies_revision,
                 decision->view->lists_revision);
    ipt_buf_adds(out, "</main>\n</body>\n</html>\n");
}
