/* The command line `iptrust`: what its parts share. */
#ifndef IPTRUST_CLI_PRIV_H
#define IPTRUST_CLI_PRIV_H

#include "iptrust/codec/json.h"
#include "iptrust/explain/explain.h"
#include "iptrust/explain/export.h"

/* What the shell is told. */
typedef enum ipt_exit {
    IPT_EXIT_ANSWERED = 0,
    IPT_EXIT_UNANSWERED = 1, /* there is no answer: a refused request, no daemon */
    IPT_EXIT_USAGE = 2,      /* wrong usage or configuration */
} ipt_exit;

typedef enum ipt_output { IPT_OUTPUT_TEXT = 0, IPT_OUTPUT_JSON, IPT_OUTPUT_HTML } ipt_output;
typedef enum ipt_when { IPT_WHEN_AUTO = 0, IPT_WHEN_ALWAYS, IPT_WHEN_NEVER } ipt_when;

typedef struct ipt_options {
    const char *config, *server, *token_file;
    const char *peer, *policy, *principal, *request_id, *proxy_protocol;
    const char *format;
    const char *key, *public_key, *serial, *expires; /* bundle */
    ipt_output output;
    ipt_when colour, unicode;
    bool help;
    bool rollback, print; /* lists accept */
    bool is_unsigned;     /* bundle sign */
    const char **headers; /* "Name: value", as given, in order */
    size_t header_count;
    const char **attributes; /* "NAME=VALUE" */
    size_t attribute_count;
    char **args; /* what is no option */
    size_t arg_count;
} ipt_options;

typedef struct ipt_command {
    const char *name, *args, *summary, *details;
    const char *const *examples; /* ends with NULL */
    unsigned bit;                /* of the options that it takes */
    ipt_exit (*run)(const ipt_options *options);
} ipt_command;

enum {
    IPT_CMD_RESOLVE = 1,
    IPT_CMD_EXPLAIN = 2,
    IPT_CMD_IP = 4,
    IPT_CMD_LISTS = 8,
    IPT_CMD_CHECK = 16,
    IPT_CMD_HEALTH = 32,
    IPT_CMD_BUNDLE = 64,
};

extern const ipt_command ipt_commands[];
extern const size_t ipt_command_count;
const ipt_command *ipt_command_find(const char *name); /* NULL when unknown */

ipt_exit ipt_main(int argc, char **argv);

/* ---- options.c ---- */

/* argv[0] is the command's name. False: one line on standard error has said why. */
IPT_MUST_USE bool ipt_options_read(const ipt_command *command, int argc, char **argv, ipt_options *out);
void ipt_options_done(ipt_options *options);
void ipt_options_help(const ipt_command *command); /* its options, on standard output */
bool ipt_options_have_request(const ipt_options *options);
bool ipt_options_want_input(const ipt_options *options); /* "-" is among the arguments */

/* ---- input.c: requests ---- */

typedef struct ipt_header_block {
    ipt_header *items; /* point into the text read */
    size_t count, cap;
} ipt_header_block;

/* Headers as people have them at hand: lines `Name: value`, with or without a request line before, or the dump of
 * `curl -v`, of which the lines that begin with "> " count. False: *why tells what is wrong with which line. */
IPT_MUST_USE bool ipt_header_block_read(ipt_span text, ipt_header_block *out, char why[static 160]);
void ipt_header_block_done(ipt_header_block *block);

/* The request as the JSON of POST /v1/resolve. block may be NULL. */
IPT_MUST_USE bool ipt_request_write(ipt_buf *out, const ipt_options *options, const ipt_header_block *block,
                                    char why[static 160]);
/* A JSON object that ends on its own line: then every line is one request. */
bool ipt_request_is_line(ipt_span line);
IPT_MUST_USE bool ipt_input_read(int fd, ipt_buf *out);

/* ---- local.c: answers computed here ---- */

typedef struct ipt_local {
    ipt_view *view;
} ipt_local;

/* With its databases; what is wrong or missing is said in diag. */
IPT_MUST_USE ipt_err ipt_local_view(ipt_config **config_take, ipt_diag *diag, ipt_view **out);
IPT_MUST_USE ipt_exit ipt_local_open(const char *config, ipt_local *out); /* errors go to standard error */
void ipt_local_close(ipt_local *local);

typedef enum ipt_form { IPT_FORM_JSON = 0, IPT_FORM_TEXT, IPT_FORM_HTML } ipt_form;

/* False: out holds the problem as JSON. */
IPT_MUST_USE bool ipt_local_answer(const ipt_local *local, ipt_span request, ipt_form form, ipt_explain_style style,
                                   ipt_buf *out);

/* ---- remote.c: answers of a daemon ---- */

typedef struct ipt_remote ipt_remote;

IPT_MUST_USE bool ipt_remote_open(const char *server, const char *token_file, ipt_remote **out);
void ipt_remote_close(ipt_remote *remote);
IPT_DEFINE_CLEANUP(ipt_remote, ipt_remote_close)

/* body NULL: GET. accept may be NULL. *status is the HTTP status. False: no answer, said on standard error. */
IPT_MUST_USE bool ipt_remote_call(ipt_remote *remote, const char *path, const ipt_span *body, const char *accept,
                                  ipt_buf *out, long *status);

/* ---- show.c: JSON answers for people ---- */

IPT_MUST_USE bool ipt_show_decision(ipt_span json, bool colour); /* one line */
IPT_MUST_USE bool ipt_show_address(ipt_span json);
IPT_MUST_USE bool ipt_show_lists(ipt_span json);
void ipt_show_problem(ipt_span json, const char *where); /* one line on standard error */

/* ---- terminal.c ---- */

ipt_explain_style ipt_terminal_style(const ipt_options *options);
IPT_PRINTF(1, 2) void ipt_complain(const char *format, ...); /* "iptrust: ...", one line on standard error */
IPT_MUST_USE bool ipt_print(ipt_span text);                  /* to standard output; false when it cannot be written */

/* ---- the commands ---- */

ipt_exit ipt_run_resolve(const ipt_options *options); /* and explain */
ipt_exit ipt_run_explain(const ipt_options *options);
ipt_exit ipt_run_ip(const ipt_options *options);
ipt_exit ipt_run_lists(const ipt_options *options);
ipt_exit ipt_run_accept(const ipt_options *options, const char *name); /* lists accept NAME */
ipt_exit ipt_run_check(const ipt_options *options);
ipt_exit ipt_run_health(const ipt_options *options);
ipt_exit ipt_run_bundle(const ipt_options *options);

#endif
