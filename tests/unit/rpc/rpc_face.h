/* Services on an engine of a given configuration, called with bytes as a transport would. */
#ifndef IPTRUST_TESTS_RPC_FACE_H
#define IPTRUST_TESTS_RPC_FACE_H

#include <protobuf-c/protobuf-c.h>

#include "iptrust/engine/health.h"
#include "iptrust/rpc/rpc.h"

typedef struct face {
    ipt_engine *engine;
    ipt_rpc *rpc;
    ipt_rpc_seat *seat;
    ipt_rpc_call call; /* of a trusted caller */
    ipt_buf out;
} face;

/* The same configuration for all tests; asserts. */
void face_open(face *f);
void face_open_with(face *f, const char *config);
void face_close(face *f);
/* Runs a method on an exact copy of bytes. */
bool face_run(face *f, const char *path, ipt_span bytes);
bool face_send(face *f, const char *path, const ProtobufCMessage *message);
/* face_send, and the answer; protobuf_c_message_free_unpacked(). NULL: the status says why. */
void *face_ask(face *f, const char *path, const ProtobufCMessage *message, const ProtobufCMessageDescriptor *answer);

#endif
