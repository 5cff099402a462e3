/* The configuration as checked values: what a person wrote, with defaults filled in and every reference resolved, not
 * yet compiled for look-ups (that is iptrust/view). Read from YAML by ipt_config_load(); everything hangs in one arena.
 */
#ifndef IPTRUST_CONFIG_CONFIG_H
#define IPTRUST_CONFIG_CONFIG_H

#include "iptrust/base/diag.h"
#include "iptrust/net/prefix.h"
#include "iptrust/ranges/provider.h"

#define IPT_NAME_LENGTH_MAX  63   /* list and policy names: [a-z0-9][a-z0-9_-]{0,62} */
#define IPT_CONFIG_LISTS_MAX 4096 /* lists of one configuration */
#define IPT_CONFIG_READ_MAX  16   /* names in a policy's `read` */
#define IPT_CONFIG_GEO_MAX   16   /* files of `geo` */
#define IPT_CONFIG_BYTES_MAX (64U << 20)
#define IPT_AGE_NONE         INT64_MAX /* an age that never comes */
#define IPT_TIME_NONE        INT64_MIN /* no time is known */

/* ---- listeners ---- */

typedef enum ipt_listen_kind { IPT_LISTEN_OFF = 0, IPT_LISTEN_TCP, IPT_LISTEN_UNIX } ipt_listen_kind;

typedef struct ipt_listener_spec {
    ipt_listen_kind kind;
    const char *text; /* as written, "127.0.0.1:8080" or "unix:/run/x.sock" */
    ipt_addr host;
    uint16_t port;                                  /* 0: the system picks one (tests) */
    const char *path;                               /* UNIX */
    unsigned mode;                                  /* UNIX: permission bits, e.g. 0660 */
    const char *token_file;                         /* admin on TCP; NULL when absent */
    const char *tls_cert, *tls_key, *tls_client_ca; /* NULL without TLS */
    const char *const *tls_client_sans;
    size_t tls_client_sans_count;
    ipt_place tls_cert_place, tls_key_place, tls_client_ca_place; /* where they were stated */
    bool stated; /* from configuration, environment or flag; false: the default of the contract */
} ipt_listener_spec;

/* ---- lists ---- */

typedef enum ipt_list_source {
    IPT_SOURCE_BY_HAND = 0, /* prefixes */
    IPT_SOURCE_FILE,
    IPT_SOURCE_URL,
    IPT_SOURCE_PROVIDER, /* fetched; the built-in snapshot until then */
    IPT_SOURCE_UNIX,     /* the Unix-socket peer */
} ipt_list_source;
const char *ipt_list_source_name(ipt_list_source source); /* "prefixes", "file", "url", "provider", "unix" */

typedef struct ipt_vouch_spec {
    ipt_span header; /* lower case; "proxy_protocol" for the PROXY protocol; "attribute:NAME" */
    ipt_vouch how;
} ipt_vouch_spec;

typedef enum ipt_proof_kind {
    IPT_PROOF_NONE = 0,
    IPT_PROOF_HEADER,          /* a header equals a secret */
    IPT_PROOF_FORWARDED_PARAM, /* an RFC 7239 extension parameter equals a secret */
    IPT_PROOF_FRONT_DOOR_ID,   /* X-Azure-FDID is one of ours */
    IPT_PROOF_PRINCIPALS,      /* of the verified peer certificate */
} ipt_proof_kind;

typedef struct ipt_proof_spec {
    ipt_proof_kind kind;
    ipt_span name;             /* HEADER: header, lower case; FORWARDED_PARAM: parameter */
    ipt_span secret;           /* contents of secret_file without one final line end; never printed */
    const char *secret_file;   /* as written */
    const char *const *values; /* FRONT_DOOR_ID, PRINCIPALS */
    size_t value_count;
} ipt_proof_spec;

typedef struct ipt_list_spec {
    const char *name;
    ipt_place place;
    ipt_list_source source;
    ipt_provider provider; /* also with prefixes or file by hand */
    ipt_list_kind kind;
    const char *const *services;
    size_t service_count;
    const char *file, *url, *format, *path, *column; /* NULL when absent; file is absolute */
    const ipt_prefix *prefixes;                      /* by hand, from the file, or the built-in snapshot */
    size_t prefix_count;
    const ipt_prefix *egress;
    size_t egress_count;
    bool internal, exclusive, broad_accepted, trust_tenants;
    bool bundled;                  /* the contents are the built-in snapshot, never fetched yet */
    bool failed;                   /* contents could not be had (a provider without snapshot): empty, and said so */
    const ipt_vouch_spec *vouches; /* whole: stated or default */
    size_t vouch_count;
    uint8_t adds; /* 1 or 2 */
    ipt_proof_spec proof;
    int64_t fetched_at;         /* seconds since 1970 or IPT_TIME_NONE */
    int64_t soft_age, hard_age; /* seconds or IPT_AGE_NONE */
    int64_t refresh;            /* seconds */
    /* Of fetching, and what a fetch may change (iptrust/ranges/accept.h). */
    bool redirects;
    const char *ca;            /* absolute; NULL: the system's */
    uint64_t max_addresses;    /* 0: the provider's default */
    int32_t hold_lost;         /* per cent; -1: the default */
    int32_t hold_gained;       /* per cent; -1: the default */
    const char *accept_digest; /* "sha256:..." that may be taken; NULL */
} ipt_list_spec;

/* ---- policies ---- */

typedef enum ipt_mode { IPT_MODE_ANNOTATE = 0, IPT_MODE_ENFORCE, IPT_MODE_SHADOW } ipt_mode;
const char *ipt_mode_name(ipt_mode mode);

/* Decision levels live here because rules compare with them; decision.md section 7. Zero knows nothing. */
typedef enum ipt_level {
    IPT_LEVEL_NONE = 0,
    IPT_LEVEL_LOW,
    IPT_LEVEL_MEDIUM,
    IPT_LEVEL_HIGH,
    IPT_LEVEL_AUTHENTICATED,
} ipt_level;
const char *ipt_level_name(ipt_level level);
unsigned ipt_level_score(ipt_level level); /* 0, 25, 55, 80, 95 */

typedef struct ipt_read_spec {
    ipt_span name; /* lower case, or "attribute:NAME" */
    uint16_t from; /* index of the list that a `from:` binds it to, else IPT_LIST_NONE */
} ipt_read_spec;

#define IPT_LIST_NONE UINT16_MAX

typedef struct ipt_rule_spec { /* `deny:` or `allow:`; conditions that are absent are not asked */
    bool stated;
    ipt_level confidence;  /* deny: below this; allow: at least this; NONE: not asked */
    const uint16_t *lists; /* indexes */
    size_t list_count;
    const char *const *countries; /* two letters, upper case */
    size_t country_count;
    const uint32_t *asns;
    size_t asn_count;
    bool anonymous;
} ipt_rule_spec;

enum { IPT_SELECT_REST = 1, IPT_SELECT_GRPC = 2, IPT_SELECT_EXT_AUTHZ = 4, IPT_SELECT_AUTH = 8 };

typedef struct ipt_chain_pair {
    uint16_t outer, inner; /* list indexes */
} ipt_chain_pair;

typedef struct ipt_policy_spec {
    const char *name;
    ipt_place place;
    const uint16_t *trust; /* list indexes in the order of `trust` */
    size_t trust_count;
    bool trust_anyone;
    const ipt_read_spec *read;
    size_t read_count;
    uint8_t hops; /* 0: walk by trust; 1-64: hop count */
    bool peer_in_header;
    const ipt_chain_pair *chains;
    size_t chain_count;
    ipt_mode mode;
    ipt_rule_spec deny, allow;
    bool unknown_denies; /* `unknown: deny`, the default */
    bool clients_any;
    uint8_t ipv6_rate_limit;    /* prefix length, 64 */
    unsigned selectable_by;     /* IPT_SELECT_* */
    const char *const *rewrite; /* lower case header names for ext_authz */
    size_t rewrite_count;
} ipt_policy_spec;

/* ---- from elsewhere ---- */

typedef struct ipt_central_spec {
    const char *url; /* NULL: etcd */
    const char *ca;  /* absolute; NULL: the system's */
    bool etcd;
    const char *const *endpoints;
    size_t endpoint_count;
    const char *key, *user; /* user NULL: no login */
    ipt_span password;      /* never printed */
    int64_t interval_ms;
    const char *const *public_keys; /* as written */
    size_t public_key_count;
    bool is_unsigned, allow_dangerous;
    uint64_t min_serial;
    ipt_place place; /* of the keys */
} ipt_central_spec;

/* ---- the whole ---- */

typedef enum ipt_log_format { IPT_LOG_AUTO = 0, IPT_LOG_JSON, IPT_LOG_TEXT } ipt_log_format;
typedef enum ipt_log_level { IPT_LOG_ERROR = 0, IPT_LOG_WARNING, IPT_LOG_INFO, IPT_LOG_DEBUG } ipt_log_level;
typedef enum ipt_log_ip { IPT_LOG_IP_TRUNCATED = 0, IPT_LOG_IP_FULL, IPT_LOG_IP_NONE } ipt_log_ip;

typedef struct ipt_config {
    ipt_arena *arena;
    struct ipt_config_life *life; /* who shares what; of overlay.c */
    const char *file;             /* as named by the user; NULL for the embedded default */
    ipt_listener_spec http, grpc, health, admin;
    const char *auth_token_file;
    const ipt_prefix *callers;
    size_t caller_count;
    const char *state_dir;
    int64_t drain_delay_ms, drain_timeout_ms;
    uint32_t limit_connections, limit_per_address, limit_streams;
    uint64_t limit_message;
    int64_t limit_connection_age_ms, limit_keepalive_ms;
    const char *const *ready_require_fresh; /* list names */
    size_t ready_require_fresh_count;
    ipt_log_format log_format;
    ipt_log_level log_level;
    bool decision_log;          /* asked for */
    double decision_log_sample; /* 0 to 1 */
    ipt_log_ip decision_log_ip;
    const char *const *geo_files; /* absolute, or as the base directory is; at most IPT_CONFIG_GEO_MAX */
    size_t geo_file_count;
    const ipt_prefix *nat64;
    size_t nat64_count;
    const ipt_list_spec *lists;
    size_t list_count;
    const ipt_policy_spec *policies; /* by rising name */
    size_t policy_count;
    const ipt_central_spec *central; /* NULL: all is configured here */
    const char *signing_key_file;    /* of serve_central; absolute; NULL: it is off */
    ipt_place signing_key_place;
} ipt_config;

typedef struct ipt_config_options {
    const char *base_dir;     /* for relative paths when text is given without a file; NULL: "." */
    char *const *environment; /* NULL: IPTRUST_* variables are not looked at */
    bool whole_files; /* a file that does not end with a line feed is an error: it may be cut short. For reloads. */
    /* Lists and policies of a central place; what is configured here under the same name wins. n 0: none. In messages
     * its file is IPT_CONFIG_DOCUMENT. */
    ipt_span document;
} ipt_config_options;

#define IPT_CONFIG_DOCUMENT "central document"

/* path: a file, or a directory whose *.yaml and *.yml files (names without a leading dot) are one configuration: in the
 * order of their names, each top-level key in one file only, lists and policies may be spread. NULL: embedded default.
 * IPT_ECONFIG when diag has errors; warnings alone are IPT_OK. */
IPT_MUST_USE ipt_err ipt_config_load(const char *path, const ipt_config_options *options, ipt_diag *diag,
                                     ipt_config **out);
/* The same from memory; file names the text in messages. */
IPT_MUST_USE ipt_err ipt_config_parse(ipt_span yaml, const char *file, const ipt_config_options *options,
                                      ipt_diag *diag, ipt_config **out);
void ipt_config_free(ipt_config *config);
IPT_DEFINE_CLEANUP(ipt_config, ipt_config_free)

/* What a list holds when it is not what the configuration says: fetched, or remembered from an earlier run. */
typedef struct ipt_list_contents {
    bool stated; /* false: as the configuration says */
    const ipt_prefix *prefixes;
    size_t prefix_count;
    int64_t fetched_at; /* seconds since 1970 */
} ipt_list_contents;

/* A configuration with other contents of its lists, one item a list by index; it shares the rest with `from`, which may
 * be freed before it. `from` may have other contents itself: what is not stated goes back to what was configured. The
 * prefixes are copied. */
IPT_MUST_USE ipt_err ipt_config_with_contents(const ipt_config *from, const ipt_list_contents *contents,
                                              ipt_config **out);

/* Another holder of what was read, for as long as it needs it: ipt_config_free() each. Never fails. */
ipt_config *ipt_config_share(const ipt_config *config);

ipt_span ipt_config_default_yaml(void); /* the embedded default of interfaces.md */
const ipt_policy_spec *ipt_config_find_policy(const ipt_config *config, ipt_span name); /* NULL when unknown */

#endif
