/* HTTP in and out: decisions on `http`, probes and metrics on `health`, management on `admin` (interfaces.md). One
 * event loop a core for decisions and one for the other two, so that neither holds up the other. */
#ifndef IPTRUST_REST_REST_H
#define IPTRUST_REST_REST_H

#include "iptrust/engine/engine.h"
#include "iptrust/listener/inherited.h"

typedef struct ipt_rest ipt_rest;

/* Threads that decide, for ipt_engine_options.shards; the loop of health and admin counts too. */
unsigned ipt_rest_shards(unsigned loops);

/* Binds the listeners of config and says so in the log; config is not kept. inherited: sockets to take instead of
 * opening them, or NULL. loops: event loops for decisions. On failure the log says which address and why; IPT_EIO. */
IPT_MUST_USE ipt_err ipt_rest_open(ipt_engine *engine, const ipt_config *config, const ipt_inherited *inherited,
                                   unsigned loops, ipt_rest **out);
/* Starts the loops: from here on requests are answered. And looking at the files of TLS. */
IPT_MUST_USE ipt_err ipt_rest_start(ipt_rest *rest);
/* "127.0.0.1:8080" or "unix:/path", as bound; NULL when http is off. */
const char *ipt_rest_http_address(const ipt_rest *rest);
/* Ends loops and connections, removes Unix sockets. */
void ipt_rest_close(ipt_rest *rest);
IPT_DEFINE_CLEANUP(ipt_rest, ipt_rest_close)

/* The way out, after ipt_engine_drain. */
void ipt_rest_close_listeners(ipt_rest *rest); /* of http: no new connections, idle ones end, answers are the last */
size_t ipt_rest_connections(ipt_rest *rest);   /* that http still has */

#endif
