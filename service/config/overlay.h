/* The life of a configuration that others share. */
#ifndef IPTRUST_CONFIG_OVERLAY_H
#define IPTRUST_CONFIG_OVERLAY_H

#include "iptrust/config/config.h"

IPT_MUST_USE ipt_err ipt_config_life_begin(ipt_config *config); /* once, when it has its arena */

#endif
