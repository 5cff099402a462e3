/* Parts of the judgement that tests ask directly. */
#ifndef IPT_ACCEPT_PRIV_H
#define IPT_ACCEPT_PRIV_H

#include "iptrust/ranges/accept.h"

/* Whether any address of it is special-purpose; private space is not, in an internal list. */
bool ipt_prefix_is_special(ipt_prefix prefix, bool internal);

#endif
