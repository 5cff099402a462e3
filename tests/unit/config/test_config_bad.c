/* Bad configurations and, to the letter, what a person is told about each: file, line, column, what was found, what was
 * expected. */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct bad_row {
    const char *yaml;
    const char *errors; /* every line of them; warnings are left out */
} bad_row;

static void check_rows(const char *dir, const bad_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        outcome out;
        outcome_parse(rows[i].yaml, dir, &out);
        outcome_keep(&out, " error: ");
        if (strcmp(out.text, rows[i].errors) != 0)
            print_error("for %s\n", rows[i].yaml);
        assert_string_equal(out.text, rows[i].errors);
        assert_int_equal(out.err, IPT_ECONFIG);
        assert_null(out.config);
        outcome_done(&out);
    }
}

static void yaml_that_could_be_read_in_two_ways_is_refused(void **state)
{
    static const bad_row rows[] = {
        {"", "c.yaml:1:1: error: the file is empty; write {} for a configuration of defaults\n"},
        {"# only a comment\n", "c.yaml:1:1: error: the file is empty; write {} for a configuration of defaults\n"},
        {"[a, b]\n", "c.yaml:1:1: error: expected a mapping of keys such as http, lists, policies, found a sequence\n"},
        {"just text\n",
         "c.yaml:1:1: error: expected a mapping of keys such as http, lists, policies, found \"just text\"\n"},
        {"http: {listen: 127.0.0.1:1\n", "c.yaml:2:1: error: this is no YAML: did not find expected ',' or '}'\n"},
        {"a: b: c\n", "c.yaml:1:5: error: this is no YAML: mapping values are not allowed in this context\n"},
        {"http: &x {listen: 127.0.0.1:1}\n", "c.yaml:1:7: error: anchors are not taken\n"},
        {"callers: *x\n", "c.yaml:1:10: error: aliases are not taken\n"},
        {"http: !!map {}\n", "c.yaml:1:7: error: tags are not taken\n"},
        {"state_dir: ! /x\n", "c.yaml:1:12: error: tags are not taken\n"},
        {"{}\n---\n{}\n", "c.yaml:2:1: error: a second document begins, expected one\n"},
        {"drain: {delay: 1s, delay: 2s}\n", "c.yaml:1:20: error: key \"delay\" is here twice\n"},
        {"http: {}\nlog: {}\nhttp: {}\n", "c.yaml:3:1: error: key \"http\" is here twice\n"},
        {"[a]: b\n", "c.yaml:1:1: error: a key must be plain text\n"},
        {"{{a: b}: c}\n", "c.yaml:1:2: error: a key must be plain text\n"},
        {"callers: [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]\n", "c.yaml:1:25: error: more than 16 levels\n"},
        {"callers: [::1]\n", "c.yaml:1:11: error: this is no YAML: did not find expected node content (IPv6 text wants "
                             "quotes: \"fd00::/8\")\n"},
        {"callers: [192.0.2.1, ::/0]\n", "c.yaml:1:22: error: this is no YAML: did not find expected node content "
                                         "(IPv6 text wants quotes: \"fd00::/8\")\n"},
        {"callers:\n  - fd00::\n", "c.yaml:2:5: error: expected a prefix or an address, found a mapping (IPv6 text "
                                   "wants quotes: \"fd00::/8\")\n"},
        {"state_dir: \"a\\0b\"\n", "c.yaml:1:12: error: a NUL byte\n"},
        {"\t- x\n", "c.yaml:1:1: error: this is no YAML: found character that cannot start any token\n"},
        {"state_dir: \"\303\244\", b: c\n", "c.yaml:1:16: error: this is no YAML: did not find expected key\n"},
        {"{state_dir: \"\303\244\342\202\254\", htp: {}}\n",
         "c.yaml:1:22: error: unknown key \"htp\", did you mean \"http\"?\n"},
        {"state_dir: \377\n", "c.yaml:1:1: error: this line is not UTF-8\n"},
        {"# ok\nhttp: {}\n# \303\244\303\n", "c.yaml:3:1: error: this line is not UTF-8\n"},
        {"log: {level: info}\r\nhtp: {}\r\n", "c.yaml:2:1: error: unknown key \"htp\", did you mean \"http\"?\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

static void unknown_keys_and_wrong_shapes_are_refused(void **state)
{
    static const bad_row rows[] = {
        {"htpp: {}\n", "c.yaml:1:1: error: unknown key \"htpp\", did you mean \"http\"?\n"},
        {"http: {lisen: 127.0.0.1:1}\n", "c.yaml:1:8: error: unknown key \"lisen\", did you mean \"listen\"?\n"},
        {"frobnicate: 1\n", "c.yaml:1:1: error: unknown key \"frobnicate\"\n"},
        {"\"bad\\u001bkey\": 1\n", "c.yaml:1:1: error: unknown key \"bad\\x1bkey\"\n"},
        {"<<: {}\n", "c.yaml:1:1: error: unknown key \"<<\"\n"},
        {"http:\n", "c.yaml:1:6: error: expected a mapping, found nothing\n"},
        {"http: ~\n", "c.yaml:1:7: error: expected a mapping, found nothing\n"},
        {"http: 127.0.0.1:8080\n", "c.yaml:1:7: error: expected a mapping, found \"127.0.0.1:8080\"\n"},
        {"http: [a]\n", "c.yaml:1:7: error: expected a mapping, found a sequence\n"},
        {"lists: [a]\n", "c.yaml:1:8: error: expected a mapping, found a sequence\n"},
        {"lists: {Foo: {}}\n",
         "c.yaml:1:9: error: \"Foo\" is no name: up to 63 of a-z, 0-9, _ and -, the first a letter or digit\n"},
        {"lists: {\"a b\": {prefixes: []}}\n",
         "c.yaml:1:9: error: \"a b\" is no name: up to 63 of a-z, 0-9, _ and -, the first a letter or digit\n"},
        {"lists: {lb: 10.0.0.0/8}\n", "c.yaml:1:13: error: expected a mapping, found \"10.0.0.0/8\"\n"},
        {"policies: {_x: {}}\n",
         "c.yaml:1:12: error: \"_x\" is no name: up to 63 of a-z, 0-9, _ and -, the first a letter or digit\n"},
        {"lists: {-a: {}}\n",
         "c.yaml:1:9: error: \"-a\" is no name: up to 63 of a-z, 0-9, _ and -, the first a letter or digit\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

static void values_that_are_not_exactly_right_are_refused(void **state)
{
    static const bad_row rows[] = {
        {"http: {listen: :8080}\n", "c.yaml:1:16: error: this is no YAML: did not find expected node content\n"},
        {"http: {listen: \"*:8080\"}\n", "c.yaml:1:16: error: expected an address and a port, or unix:/path (did you "
                                         "mean 0.0.0.0:8080?), found \"*:8080\"\n"},
        {"http: {listen: localhost:80}\n", "c.yaml:1:16: error: expected an address and a port, or unix:/path (did you "
                                           "mean 127.0.0.1:80?), found \"localhost:80\"\n"},
        {"http: {listen: 8080}\n", "c.yaml:1:16: error: expected an address and a port such as 127.0.0.1:8080 or "
                                   "[::1]:8080, or unix:/path, found \"8080\"\n"},
        {"http: {listen: 127.0.0.1:65536}\n",
         "c.yaml:1:16: error: expected an address and a port such as 127.0.0.1:8080 or [::1]:8080, or unix:/path, "
         "found \"127.0.0.1:65536\"\n"},
        {"http: {listen: \"::1:80\"}\n", "c.yaml:1:16: error: expected an address and a port such as 127.0.0.1:8080 or "
                                         "[::1]:8080, or unix:/path, found \"::1:80\"\n"},
        {"http: {listen: \"unix:relative.sock\"}\n",
         "c.yaml:1:16: error: expected an address and a port such as 127.0.0.1:8080 or [::1]:8080, or unix:/path, "
         "found \"unix:relative.sock\"\n"},
        {"http: {listen: [a]}\n", "c.yaml:1:16: error: expected an address and a port such as 127.0.0.1:8080 or "
                                  "[::1]:8080, or unix:/path, found a sequence\n"},
        {"http: {listen: \"\"}\n", "c.yaml:1:16: error: expected an address and a port such as 127.0.0.1:8080 or "
                                   "[::1]:8080, or unix:/path, found \"\"\n"},
        {"http: {mode: 660}\n", "c.yaml:1:14: error: expected permission bits such as \"0660\", found \"660\"\n"},
        {"http: {mode: 0980}\n", "c.yaml:1:14: error: expected permission bits such as \"0660\", found \"0980\"\n"},
        {"limits: {connections: 0}\n", "c.yaml:1:23: error: expected a whole number from 1 to 1000000, found \"0\"\n"},
        {"limits: {connections: many}\n",
         "c.yaml:1:23: error: expected a whole number from 1 to 1000000, found \"many\"\n"},
        {"limits: {connections: 010}\n",
         "c.yaml:1:23: error: expected a whole number from 1 to 1000000, found \"010\"\n"},
        {"limits: {connections: -1}\n",
         "c.yaml:1:23: error: expected a whole number from 1 to 1000000, found \"-1\"\n"},
        {"limits: {connections: 99999999999999999999}\n",
         "c.yaml:1:23: error: expected a whole number from 1 to 1000000, found \"99999999999999999999\"\n"},
        {"limits: {connections: 1.5}\n",
         "c.yaml:1:23: error: expected a whole number from 1 to 1000000, found \"1.5\"\n"},
        {"limits: {message: 1MB}\n",
         "c.yaml:1:19: error: expected bytes (512, 64KiB, 1MiB) from 1KiB to 16MiB, found \"1MB\"\n"},
        {"limits: {message: 512}\n",
         "c.yaml:1:19: error: expected bytes (512, 64KiB, 1MiB) from 1KiB to 16MiB, found \"512\"\n"},
        {"drain: {delay: 5}\n",
         "c.yaml:1:16: error: expected a duration (250ms, 5s, 15m, 1h, 7d) from 0s to 1h, found \"5\"\n"},
        {"drain: {delay: 5 s}\n",
         "c.yaml:1:16: error: expected a duration (250ms, 5s, 15m, 1h, 7d) from 0s to 1h, found \"5 s\"\n"},
        {"drain: {delay: 2h}\n",
         "c.yaml:1:16: error: expected a duration (250ms, 5s, 15m, 1h, 7d) from 0s to 1h, found \"2h\"\n"},
        {"drain: {timeout: 1.5s}\n",
         "c.yaml:1:18: error: expected a duration (250ms, 5s, 15m, 1h, 7d) from 0s to 1h, found \"1.5s\"\n"},
        {"log: {level: warn}\n", "c.yaml:1:14: error: expected one of error | warning | info | debug (did you mean "
                                 "warning?), found \"warn\"\n"},
        {"log: {format: xml}\n", "c.yaml:1:15: error: expected one of auto | json | text, found \"xml\"\n"},
        {"log: {level: INFO}\n",
         "c.yaml:1:14: error: expected one of error | warning | info | debug (did you mean info?), found \"INFO\"\n"},
        {"decision_log: {sample: 1.01}\n", "c.yaml:1:24: error: expected a number from 0 to 1, found \"1.01\"\n"},
        {"decision_log: {sample: .5}\n", "c.yaml:1:24: error: expected a number from 0 to 1, found \".5\"\n"},
        {"decision_log: {ip: hidden}\n",
         "c.yaml:1:20: error: expected one of truncated | full | none, found \"hidden\"\n"},
        {"state_dir: [a]\n", "c.yaml:1:12: error: expected a path, found a sequence\n"},
        {"state_dir: \"a\\nb\"\n", "c.yaml:1:12: error: expected a path, found \"a\\x0ab\"\n"},
        {"log: {level: information}\n",
         "c.yaml:1:14: error: expected one of error | warning | info | debug, found \"information\"\n"},
        {"http: {tls: {cert: [], key: secrets/ok}}\n",
         "c.yaml:1:20: error: expected a path, found an empty sequence\n"},
        {"http: {tls: {cert: secrets/ok}}\n", "c.yaml:1:13: error: tls needs key\n"},
        {"http: {tls: {}}\n", "c.yaml:1:13: error: tls needs cert\nc.yaml:1:13: error: tls needs key\n"},
        {"admin: {tls: {cert: /nowhere/c, key: secrets/ok}}\n",
         "c.yaml:1:21: error: cannot read /nowhere/c: No such file or directory\n"},
        {"health: {tls: {cert: secrets/ok, key: /nowhere/k, client_ca: /nowhere/a}}\n",
         "c.yaml:1:39: error: cannot read /nowhere/k: No such file or directory\n"
         "c.yaml:1:62: error: cannot read /nowhere/a: No such file or directory\n"},
        {"http: {tls: {cert: secrets/ok, key: secrets/ok, client_sans: [a]}}\n",
         "c.yaml:1:49: error: client_sans needs client_ca: without it no name is verified\n"},
        {"http: {tls: {cert: secrets/ok, key: secrets/ok, client_ca: secrets/ok, client_sans: [\"*.a.example\"]}}\n",
         "c.yaml:1:86: error: \"*.a.example\": names match whole, there are no wildcards\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

static void prefixes_are_never_repaired(void **state)
{
    static const bad_row rows[] = {
        {"callers: 10.0.0.0/8\n",
         "c.yaml:1:10: error: expected a sequence such as [10.0.0.0/8], found \"10.0.0.0/8\"\n"},
        {"callers: [10.0.0.1/8]\n", "c.yaml:1:11: error: 10.0.0.1/8 has host bits set, did you mean 10.0.0.0/8?\n"},
        {"callers: [10.0.0.0/33]\n", "c.yaml:1:11: error: 10.0.0.0/33 has a bad length, expected /0 to /32\n"},
        {"callers: [10.0.0.0/08]\n", "c.yaml:1:11: error: 10.0.0.0/08 has a bad length, did you mean 10.0.0.0/8?\n"},
        {"callers: [10.0.0.0/255.0.0.0]\n",
         "c.yaml:1:11: error: 10.0.0.0/255.0.0.0 has a bad length, did you mean 10.0.0.0/8?\n"},
        {"callers: [10.0.0.0/255.0.255.0]\n",
         "c.yaml:1:11: error: 10.0.0.0/255.0.255.0 has a bad length, expected /0 to /32\n"},
        {"callers: [10.0.0.0/]\n", "c.yaml:1:11: error: 10.0.0.0/ has a bad length, expected /0 to /32\n"},
        {"callers: [10.0.0]\n", "c.yaml:1:11: error: \"10.0.0\" is no address or prefix\n"},
        {"callers: [010.0.0.1]\n", "c.yaml:1:11: error: \"010.0.0.1\" is no address or prefix\n"},
        {"callers: [example.org]\n", "c.yaml:1:11: error: \"example.org\" is no address or prefix\n"},
        {"callers: [\"::ffff:0:0/64\"]\n", "c.yaml:1:11: error: ::ffff:0:0/64 is wider than the IPv4 addresses in it, "
                                           "expected an IPv4 prefix, or /96 to /128\n"},
        {"callers: [\"fe80::1%eth0\"]\n", "c.yaml:1:11: error: \"fe80::1%eth0\" is no address or prefix\n"},
        {"callers: [\"2001:db8::1/32\"]\n",
         "c.yaml:1:11: error: 2001:db8::1/32 has host bits set, did you mean 2001:db8::/32?\n"},
        {"callers: [\"\"]\n", "c.yaml:1:11: error: expected an address or a prefix, found nothing\n"},
        {"callers: [{a: b}]\n", "c.yaml:1:11: error: expected a prefix or an address, found a mapping\n"},
        {"callers: [null]\n", "c.yaml:1:11: error: expected a prefix or an address, found nothing\n"},
        {"nat64: [10.0.0.0/8]\n", "c.yaml:1:9: error: 10.0.0.0/8 is no NAT64 prefix: expected IPv6 of /32, /40, /48, "
                                  "/56, /64 or /96 with bits 64 to 71 zero\n"},
        {"nat64: [\"64:ff9b:1::/44\"]\n",
         "c.yaml:1:9: error: 64:ff9b:1::/44 has host bits set, did you mean 64:ff9b::/44?\n"},
        {"nat64: [\"2001:db8:1:2:ff00::/96\"]\n",
         "c.yaml:1:9: error: 2001:db8:1:2:ff00::/96 is no NAT64 prefix: expected IPv6 of /32, /40, /48, /56, /64 or "
         "/96 with bits 64 to 71 zero\n"},
        {"callers: [\"::ffff:1.2.3.4/08\"]\n",
         "c.yaml:1:11: error: ::ffff:1.2.3.4/08 has a bad length, expected /0 to /128\n"},
        {"callers: [1.2.3.4/-1]\n", "c.yaml:1:11: error: 1.2.3.4/-1 has a bad length, expected /0 to /32\n"},
        {"callers: [\"10.0.0.0/8 \"]\n", "c.yaml:1:11: error: 10.0.0.0/8  has a bad length, expected /0 to /32\n"},
        {"callers: [\"\\x1b[31m\"]\n", "c.yaml:1:11: error: \"\\x1b[31m\" is no address or prefix\n"},
        {"callers: "
         "[1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111]\n",
         "c.yaml:1:11: error: \"111111111111111111111111111111111111111111111111111111111111...\" "
         "is no address or prefix\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

static void lists_that_contradict_themselves_are_refused(void **state)
{
    static const bad_row rows[] = {
        {"lists: {lb: {}}\n",
         "c.yaml:1:9: error: list \"lb\" has no source: expected prefixes, file, url, unix: true or provider\n"},
        {"lists: {lb: {prefixes: [], file: empty.txt}}\n",
         "c.yaml:1:28: error: file besides prefixes: a list has one source\n"},
        {"lists: {lb: {prefixes: [], unix: true}}\n",
         "c.yaml:1:28: error: unix besides prefixes: a list has one source\n"},
        {"lists: {cf: {provider: cloudflare, url: \"https://x/\"}}\n",
         "c.yaml:1:36: error: url besides provider: expected prefixes or file\n"},
        {"lists: {cf: {provider: cloudflar}}\n",
         "c.yaml:1:24: error: expected one of cloudflare | aws | fastly | google-lb | google | azure | bunny | imperva "
         "| cdn77 | oracle | digitalocean | github (did you mean cloudflare?), found \"cloudflar\"\n"},
        {"lists: {cf: {provider: akamai}}\n",
         "c.yaml:1:24: error: expected one of cloudflare | aws | fastly | google-lb | google | azure | bunny | imperva "
         "| cdn77 | oracle | digitalocean | github, found \"akamai\"\n"},
        {"lists: {lb: {prefixes: [10.0.12.1/24]}}\n",
         "c.yaml:1:25: error: 10.0.12.1/24 has host bits set, did you mean 10.0.12.0/24?\n"},
        {"lists: {lb: {prefixes: 10.0.12.0/24}}\n",
         "c.yaml:1:24: error: expected a sequence such as [10.0.0.0/8], found \"10.0.12.0/24\"\n"},
        {"lists: {lb: {file: bad.txt}}\n", "DIR/bad.txt:4:3: error: 10.0.0.1/8 has host bits set, did you mean "
                                           "10.0.0.0/8?\nDIR/bad.txt:5:1: error: \"foo\" is no address or prefix\n"},
        {"lists: {lb: {file: missing.txt}}\n",
         "c.yaml:1:20: error: file \"missing.txt\" cannot be read: No such file or directory\n"},
        {"lists: {lb: {file: secrets}}\n", "c.yaml:1:20: error: file \"secrets\" is no regular file\n"},
        {"lists: {lb: {url: \"http://lists.example/x\"}}\n",
         "c.yaml:1:19: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"lists: {lb: {url: \"http://127.0.0.1.example/x\"}}\n",
         "c.yaml:1:19: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"lists: {lb: {url: \"https:///x\"}}\n",
         "c.yaml:1:19: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"lists: {lb: {url: \"http://127.0.0.1:80@example.org/list\"}}\n",
         "c.yaml:1:19: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"lists: {lb: {url: \"https://me:secret@example.org/list\"}}\n",
         "c.yaml:1:19: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"lists: {lb: {prefixes: [], services: [EC2]}}\n",
         "c.yaml:1:28: error: services is for provider aws, azure or github\n"},
        {"lists: {cf: {provider: cloudflare, services: [x]}}\n",
         "c.yaml:1:36: error: services is for provider aws, azure or github\n"},
        {"lists: {cf: {provider: cloudflare, fetched_at: 2026-11-22T10:00:00Z}}\n",
         "c.yaml:1:36: error: fetched_at is for contents given by prefixes or file\n"},
        {"lists: {lb: {prefixes: [], fetched_at: yesterday}}\n",
         "c.yaml:1:40: error: expected a time such as 2026-11-22T10:00:00Z, found \"yesterday\"\n"},
        {"lists: {lb: {prefixes: [], fetched_at: 2026-02-29T00:00:00Z}}\n",
         "c.yaml:1:40: error: expected a time such as 2026-11-22T10:00:00Z, found \"2026-02-29T00:00:00Z\"\n"},
        {"lists: {lb: {prefixes: [], internal: maybe}}\n",
         "c.yaml:1:38: error: expected true or false, found \"maybe\"\n"},
        {"lists: {lb: {prefixes: [], broad: yes}}\n", "c.yaml:1:35: error: expected accepted, found \"yes\"\n"},
        {"lists: {lb: {prefixes: [], soft_age: 2d, hard_age: 1d, fetched_at: 2026-11-22T10:00:00+02:00}}\n",
         "c.yaml:1:52: error: hard_age is shorter than soft_age\n"},
        {"lists: {lb: {prefixes: [], adds: 3}}\n",
         "c.yaml:1:34: error: expected a whole number from 1 to 2, found \"3\"\n"},
        {"lists: {lb: {prefixes: [], accept: {digest: \"sha256:12\"}}}\n",
         "c.yaml:1:45: error: expected sha256: and 64 hexadecimal digits\n"},
        {"lists: {lb: {prefixes: [], hold: {lost: 101}}}\n",
         "c.yaml:1:41: error: expected a whole number from 0 to 100, found \"101\"\n"},
        {"lists: {lb: {unix: maybe}}\n", "c.yaml:1:20: error: expected true or false, found \"maybe\"\n"},
        {"lists: {lb: {provider: aws}}\n",
         "c.yaml:1:24: error: provider aws needs services: which of its lists is it?\n"},
        {"lists: {lb: {provider: azure}}\n",
         "c.yaml:1:24: error: provider azure needs services: which of its lists is it?\n"},
        {"lists: {lb: {prefixes: [], format: xml}}\n",
         "c.yaml:1:36: error: expected one of text | json | csv, found \"xml\"\n"},
        {"lists: {lb: {prefixes: [], egress: [10.0.0.1/8]}}\n",
         "c.yaml:1:37: error: 10.0.0.1/8 has host bits set, did you mean 10.0.0.0/8?\n"},
        {"lists: {lb: {prefixes: [], vouches: [x-forwarded-for]}}\n",
         "c.yaml:1:37: error: expected a mapping such as {x-forwarded-for: append}, found a sequence\n"},
        {"lists: {lb: {prefixes: [], vouches: {x-forwarded-for: apend}}}\n",
         "c.yaml:1:55: error: expected append or replace, found \"apend\"\n"},
        {"lists: {lb: {prefixes: [], vouches: {x-real-ip: append}}}\n",
         "c.yaml:1:49: error: append is for x-forwarded-for and forwarded, expected replace\n"},
        {"lists: {lb: {prefixes: [], vouches: {proxy_protocol: append}}}\n",
         "c.yaml:1:54: error: append is for x-forwarded-for and forwarded, expected replace\n"},
        {"lists: {lb: {prefixes: [], vouches: {cf-connecting-ipv6: replace}}}\n",
         "c.yaml:1:38: error: cf-connecting-ipv6 is vouched for with cf-connecting-ip, never by itself\n"},
        {"lists: {lb: {prefixes: [], vouches: {\"bad name\": replace}}}\n",
         "c.yaml:1:38: error: \"bad name\" is no header name\n"},
        {"lists: {lb: {prefixes: [], vouches: {X-Real-IP: replace, x-real-ip: replace}}}\n",
         "c.yaml:1:58: error: header \"x-real-ip\" is here twice\n"},
        {"lists: {lb: {prefixes: [], proof: {}}}\n",
         "c.yaml:1:35: error: expected header, forwarded_param, front_door_id or principals\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token}}}\n", "c.yaml:1:35: error: secret_file is missing\n"},
        {"auth: {token_file: secrets/empty}\n", "c.yaml:1:20: error: secret file \"secrets/empty\" is empty\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token, secret_file: secrets/missing}}}\n",
         "c.yaml:1:66: error: secret file \"secrets/missing\" cannot be read: No such file or directory\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token, secret_file: secrets/empty}}}\n",
         "c.yaml:1:66: error: secret file \"secrets/empty\" is empty\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token, secret_file: secrets/newline}}}\n",
         "c.yaml:1:66: error: secret file \"secrets/newline\" is empty\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token, secret_file: secrets/two}}}\n",
         "c.yaml:1:66: error: secret file \"secrets/two\" has more than one line\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token, secret_file: secrets/big}}}\n",
         "c.yaml:1:66: error: secret file \"secrets/big\" has more than 65536 bytes\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x token, secret_file: secrets/ok}}}\n",
         "c.yaml:1:44: error: expected a header name, found \"x token\"\n"},
        {"lists: {lb: {prefixes: [], proof: {forwarded_param: for, secret_file: secrets/ok}}}\n",
         "c.yaml:1:53: error: expected the name of an extension parameter of Forwarded\n"},
        {"lists: {lb: {prefixes: [], proof: {header: a, principals: [b]}}}\n",
         "c.yaml:1:47: error: principals besides header: a list has one proof\n"},
        {"lists: {lb: {prefixes: [], proof: {principals: [b], secret_file: secrets/ok}}}\n",
         "c.yaml:1:53: error: secret_file is for header and forwarded_param\n"},
        {"lists: {lb: {prefixes: [], proof: {principals: []}}}\n",
         "c.yaml:1:48: error: principals is empty: nothing could prove it\n"},
        {"lists: {lb: {prefixes: [], proof: {header: x-token, secret_file: secrets/ends}}}\n",
         "c.yaml:1:66: error: secret file \"secrets/ends\" has more than one line\n"},
        {"lists: {lb: {prefixes: [], vouches: {x-real-ip: [replace]}}}\n",
         "c.yaml:1:49: error: expected replace, found a sequence\n"},
        {"lists: {lb: {prefixes: [], proof: [header]}}\n",
         "c.yaml:1:35: error: expected a mapping, found a sequence\n"},
        {"lists: {Foo: {prefixes: []}, lb: {prefxes: []}}\n",
         "c.yaml:1:9: error: \"Foo\" is no name: up to 63 of a-z, 0-9, _ and -, the first a letter or "
         "digit\nc.yaml:1:35: error: unknown key \"prefxes\", did you mean \"prefixes\"?\nc.yaml:1:30: error: list "
         "\"lb\" has no source: expected prefixes, file, url, unix: true or provider\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

static void policies_that_cannot_mean_what_they_say_are_refused(void **state)
{
    static const bad_row rows[] = {
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [ld]}\n",
         "c.yaml:3:21: error: there is no list \"ld\", did you mean \"lb\"?\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [nowhere]}\n",
         "c.yaml:3:21: error: there is no list \"nowhere\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: lb}\n",
         "c.yaml:3:20: error: expected a sequence of list names, or anyone, found \"lb\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb, lb]}\n",
         "c.yaml:3:25: error: list \"lb\" is here twice\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [[lb]]}\n",
         "c.yaml:3:21: error: expected a name of a-z, 0-9, _ and -, found a sequence\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: anyone}\n",
         "c.yaml:3:20: error: trust: anyone needs walk: {hops: n}\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: anyone, walk: trusted}\n",
         "c.yaml:3:20: error: trust: anyone needs walk: {hops: n}\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: anyone, walk: {hops: 1}, read: "
         "[cf-connecting-ip, x-forwarded-for]}\n",
         "c.yaml:3:52: error: with trust: anyone the first name must be x-forwarded-for or forwarded\n"},
        {"lists: {aws: {provider: aws, services: [EC2], prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: "
         "[aws]}\n",
         "c.yaml:3:21: error: list \"aws\" is of kind tenants: anybody can send from there; trusting it needs "
         "trust_tenants: true\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: []}\n",
         "c.yaml:3:32: error: expected a sequence such as [x-forwarded-for], found an empty sequence\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: x-forwarded-for}\n",
         "c.yaml:3:32: error: expected a sequence such as [x-forwarded-for], found \"x-forwarded-for\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [x-real-ip]}\n",
         "c.yaml:3:33: error: no list in trust vouches for x-real-ip: expected from: with the list that writes it\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [{header: x-real-ip, "
         "from: lc}]}\n",
         "c.yaml:3:59: error: there is no list \"lc\", did you mean \"lb\"?\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [], read: [{header: x-real-ip, from: "
         "lb}]}\n",
         "c.yaml:3:57: error: list \"lb\" is not in trust\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [{header: "
         "x-forwarded-for, from: lb}]}\n",
         "c.yaml:3:59: error: from is for headers with one address; whether hosts write x-forwarded-for is said by "
         "vouches\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [{heder: x-real-ip, from: "
         "lb}]}\n",
         "c.yaml:3:34: error: unknown key \"heder\", did you mean \"header\"?\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [{from: lb}]}\n",
         "c.yaml:3:33: error: expected header or attribute, one of them\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [{header: a, attribute: "
         "b, from: lb}]}\n",
         "c.yaml:3:33: error: expected header or attribute, one of them\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [{attribute: "
         "arg_realip}]}\n",
         "c.yaml:3:45: error: no list in trust vouches for arg_realip: expected from: with the list that writes it\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [cf-connecting-ipv6]}\n",
         "c.yaml:3:33: error: cf-connecting-ipv6 is read with cf-connecting-ip, never by itself\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [proxy_protocol]}\n",
         "c.yaml:3:33: error: proxy_protocol is not read by name: a list vouches for it with proxy_protocol: "
         "replace\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [X-Forwarded-Proto]}\n",
         "c.yaml:3:33: error: X-Forwarded-Proto does not name the client\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [x real ip]}\n",
         "c.yaml:3:33: error: \"x real ip\" is no header name\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], read: [x0, x1, x2, x3, x4, x5, "
         "x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16]}\n",
         "c.yaml:3:32: error: 17 names, expected at most 16\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: hops}\n",
         "c.yaml:3:32: error: expected trusted or {hops: n}, found \"hops\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: {}}\n",
         "c.yaml:3:32: error: hops is missing\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: {hops: 0}}\n",
         "c.yaml:3:39: error: expected a whole number from 1 to 64, found \"0\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: {hops: 65}}\n",
         "c.yaml:3:39: error: expected a whole number from 1 to 64, found \"65\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: {hop: 1}}\n",
         "c.yaml:3:33: error: unknown key \"hop\", did you mean \"hops\"?\nc.yaml:3:32: error: hops is missing\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: {hops: 1}, selectable_by: "
         "[ext_authz]}\n",
         "c.yaml:3:32: error: a policy with hops that ext_authz may select must state peer_in_header\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], walk: {hops: 1, peer_in_header: "
         "maybe}}\n",
         "c.yaml:3:58: error: expected true or false, found \"maybe\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], chains: [lb, lb]}\n",
         "c.yaml:3:35: error: expected a pair [outer, inner] of list names, found \"lb\"\nc.yaml:3:39: error: expected "
         "a pair [outer, inner] of list names, found \"lb\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], chains: [[lb]]}\n",
         "c.yaml:3:35: error: expected a pair [outer, inner] of list names, found a sequence\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], chains: [[lb, cf]]}\n",
         "c.yaml:3:40: error: there is no list \"cf\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], chains: lb}\n",
         "c.yaml:3:34: error: expected a sequence of pairs such as [[outer, inner]], found \"lb\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], mode: enforced}\n",
         "c.yaml:3:32: error: expected one of annotate | enforce | shadow (did you mean enforce?), found "
         "\"enforced\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], deny: {lists: [tor]}}\n",
         "c.yaml:3:41: error: there is no list \"tor\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], deny: {confidence_below: "
         "none}}\n",
         "c.yaml:3:51: error: expected one of low | medium | high | authenticated, found \"none\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], deny: {confidence_at_least: "
         "low}}\n",
         "c.yaml:3:33: error: unknown key \"confidence_at_least\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], deny: {countries: [XX]}}\n",
         "c.yaml:3:33: error: countries needs a geo file that can answer, and there is none\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], deny: {countries: [germany]}}\n",
         "c.yaml:3:45: error: expected two capital letters, found \"germany\"\nc.yaml:3:33: error: countries needs a "
         "geo file that can answer, and there is none\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], allow: {asns: [AS3320]}}\n",
         "c.yaml:3:41: error: expected the number of an autonomous system, found \"AS3320\"\nc.yaml:3:34: error: asns "
         "needs a geo file that can answer, and there is none\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], allow: {anonymous: true}}\n",
         "c.yaml:3:34: error: anonymous needs a geo file that can answer, and there is none\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], unknown: maybe}\n",
         "c.yaml:3:35: error: expected one of deny | allow, found \"maybe\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], clients: all}\n",
         "c.yaml:3:35: error: expected one of global | any, found \"all\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], keys: {ipv6_rate_limit: 129}}\n",
         "c.yaml:3:50: error: expected a whole number from 1 to 128, found \"129\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], selectable_by: [rets]}\n",
         "c.yaml:3:42: error: expected one of rest | grpc | ext_authz | auth (did you mean rest?), found \"rets\"\n"},
        {"lists: {lb: {prefixes: [192.0.2.0/24]}}\npolicies:\n  default: {trust: [lb], rewrite: [\"x real ip\"]}\n",
         "c.yaml:3:36: error: \"x real ip\" is no header name\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

static void parts_that_do_not_fit_together_are_refused(void **state)
{
    static const bad_row rows[] = {
        {"ready: {require_fresh: [cf]}\n", "c.yaml:1:25: error: there is no list \"cf\"\n"},
        {"health: {listen: 127.0.0.1:8080}\n",
         "c.yaml:1:18: error: http and health listen on the same address 127.0.0.1:8080\n"},
        {"admin: {listen: 127.0.0.1:9000}\n", "c.yaml:1:17: error: admin on TCP needs token_file\n"},
        {"admin: {listen: 127.0.0.1:9000, token_file: secrets/empty}\n",
         "c.yaml:1:45: error: secret file \"secrets/empty\" is empty\n"},
        {"central: {interval: 10, url: \"https://c.example/\", unsigned: false, public_keys: [a]}\n",
         "c.yaml:1:21: error: expected a duration (250ms, 5s, 15m, 1h, 7d) from 1s to 1d, found \"10\"\n"},
        {"central: {etcd: {endpoint: []}}\n",
         "c.yaml:1:18: error: unknown key \"endpoint\", did you mean \"endpoints\"?\n"
         "c.yaml:1:17: error: etcd needs endpoints\nc.yaml:1:17: error: etcd needs key\n"
         "c.yaml:1:10: error: central needs public_keys, or unsigned: true to take what nobody has signed\n"},
        {"central: {public_keys: [a]}\n", "c.yaml:1:10: error: central needs url or etcd\n"},
        {"central: {url: \"https://c.example/\", public_keys: []}\n",
         "c.yaml:1:51: error: public_keys is empty: nothing could be taken\n"},
        {"central: {url: \"http://c.example/\", public_keys: [a]}\n",
         "c.yaml:1:16: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"central: {url: \"https://c/x\", etcd: {endpoints: [\"http://10.0.0.1:2379\"], key: k}, public_keys: [a]}\n",
         "c.yaml:1:11: error: url besides etcd: there is one central place\n"
         "c.yaml:1:50: error: expected an https URL, or http to 127.0.0.1 or [::1]\n"},
        {"central: {etcd: {endpoints: [\"https://e:2379\"], key: k, user: u}, public_keys: [a]}\n",
         "c.yaml:1:17: error: user and password_file go together\n"},
        {"central: {etcd: {endpoints: [\"https://e:2379\"], key: k, user: u, password_file: secrets/empty}, "
         "public_keys: "
         "[a]}\n",
         "c.yaml:1:81: error: secret file \"secrets/empty\" is empty\n"},
        {"serve_central: {}\n", "c.yaml:1:16: error: serve_central needs signing_key_file\n"},
        {"serve_central: yes\n", "c.yaml:1:16: error: expected a mapping, found \"yes\"\n"},
    };
    check_rows(*state, rows, IPT_COUNT(rows));
}

/* ---- too much of something ---- */

static char *repeated(const char *front, const char *format, size_t count, const char *back)
{
    size_t size = strlen(front) + count * (strlen(format) + 16) + strlen(back) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    size_t n = (size_t)snprintf(text, size, "%s", front);
    for (size_t i = 0; i < count; i++) {
        for (const char *p = format; *p != '\0'; p++) {
            if (*p == '#')
                n += (size_t)snprintf(text + n, size - n, "%zu", i);
            else
                text[n++] = *p;
        }
    }
    snprintf(text + n, size - n, "%s", back);
    return text;
}

static void counts_past_their_limit_are_refused(void **state)
{
    static const struct {
        const char *front, *format, *back;
        size_t count;
        const char *error;
    } rows[] = {
        {"lists: {", "l#: {prefixes: []}, ", "}\n", 4097, "c.yaml:1:8: error: 4097 lists, expected at most 4096\n"},
        {"policies: {", "p#: {}, ", "}\n", 4097, "c.yaml:1:11: error: 4097 policies, expected at most 4096\n"},
        {"lists: {l: {prefixes: [], vouches: {", "x#: replace, ", "}}}\n", 500,
         "c.yaml:1:1: error: more than 483 different header names\n"},
        {"lists: {l: {prefixes: [], vouches: {", "x#: replace, ", "}}}\n", 513,
         "c.yaml:1:36: error: 513 headers, expected at most 512\n"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        outcome out;
        char *yaml = repeated(rows[i].front, rows[i].format, rows[i].count, rows[i].back);
        outcome_parse(yaml, *state, &out);
        outcome_keep(&out, " error: ");
        assert_string_equal(out.text, rows[i].error);
        assert_int_equal(out.err, IPT_ECONFIG);
        outcome_done(&out);
        free(yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_that_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(unknown_keys_and_wrong_shapes_are_refused),
        cmocka_unit_test(values_that_are_not_exactly_right_are_refused),
        cmocka_unit_test(prefixes_are_never_repaired),
        cmocka_unit_test(lists_that_contradict_themselves_are_refused),
        cmocka_unit_test(policies_that_cannot_mean_what_they_say_are_refused),
        cmocka_unit_test(parts_that_do_not_fit_together_are_refused),
        cmocka_unit_test(counts_past_their_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
