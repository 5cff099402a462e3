/* A pairing heap (Fredman and others, 1986): setting costs one comparison, taking the first out a few. */
#include "timers.h"

#include <stddef.h>

static h2_timer *meld(h2_timer *a, h2_timer *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (b->at < a->at) {
        h2_timer *first = b;
        b = a;
        a = first;
    }
    b->next = a->child;
    if (b->next != NULL)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* Pairs from the left, then all of them from the right. */
static h2_timer *meld_all(h2_timer *first)
{
    h2_timer *pairs = NULL, *all = NULL;
    while (first != NULL) {
        h2_timer *second = first->next, *rest = second == NULL ? NULL : second->next;
        first->next = first->prev = NULL;
        if (second != NULL)
            second->next = second->prev = NULL;
        h2_timer *pair = meld(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs != NULL) {
        h2_timer *rest = pairs->next;
        pairs->next = NULL;
        all = meld(all, pairs);
        pairs = rest;
    }
    return all;
}

static void take_out(h2_timers *timers, h2_timer *timer)
{
    h2_timer *below = meld_all(timer->child);
    if (timer == timers->root) {
        timers->root = below;
    } else {
        if (timer->prev->child == timer)
            timer->prev->child = timer->next;
        else
            timer->prev->next = timer->next;
        if (timer->next != NULL)
            timer->next->prev = timer->prev;
        timers->root = meld(timers->root, below);
    }
    *timer = (h2_timer){.at = timer->at};
}

void h2_timer_set(h2_timers *timers, h2_timer *timer, int64_t at_ns)
{
    if (timer->set && timer->at == at_ns)
        return;
    h2_timer_cancel(timers, timer);
    timer->at = at_ns;
    timer->set = true;
    timers->root = meld(timers->root, timer);
}

void h2_timer_cancel(h2_timers *timers, h2_timer *timer)
{
    if (timer->set)
        take_out(timers, timer);
}

int64_t h2_timers_next(const h2_timers *timers)
{
    return timers->root == NULL ? INT64_MAX : timers->root->at;
}

h2_timer *h2_timers_due(h2_timers *timers, int64_t now_ns)
{
    h2_timer *first = timers->root;
    if (first == NULL || first->at > now_ns)
        return NULL;
    take_out(timers, first);
    return first;
}
