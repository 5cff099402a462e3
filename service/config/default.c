/* The configuration of a daemon that was given none: loopback alone is trusted, two providers stand ready for a request
 * that names them (interfaces.md, Programs). */
#include "iptrust/config/config.h"

static const char yaml[] =
    "# What iptrustd does when no configuration is given. Nothing is trusted that nobody named.\n"
    "http:   {listen: 127.0.0.1:8080}\n"
    "health: {listen: 127.0.0.1:8081}\n"
    "lists:\n"
    "  loopback:   {prefixes: [127.0.0.0/8, \"::1\"], internal: true, broad: accepted}\n"
    "  cloudflare: {provider: cloudflare}\n"
    "  cloudfront: {provider: aws, services: [CLOUDFRONT_ORIGIN_FACING]}\n"
    "policies:\n"
    "  default:\n"
    "    trust: [loopback]\n"
    "  cloudflare:\n"
    "    trust: [cloudflare, loopback]\n"
    "    read:  [x-forwarded-for, cf-connecting-ip]\n"
    "  cloudfront:\n"
    "    trust: [cloudfront, loopback]\n"
    "    read:  [x-forwarded-for]\n";

ipt_span ipt_config_default_yaml(void)
{
    return IPT_SPAN(yaml);
}
