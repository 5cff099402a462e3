"""An honest client in a process of its own: so many calls a second by grpcio over one channel, whatever others do to the server.

    grpc_good_client.py ADDRESS CALLS_A_SECOND DEADLINE [CA]

For every line on standard input it writes one of JSON: calls that have ended so far, how many of them failed, the first failure,
the longest time of one in milliseconds since the last line. It ends with standard input."""
import asyncio
import json
import sys
import time

import grpc

from grpc_peers import PB, TRUST, request

TICK = 0.02


class Client:
    def __init__(self, channel, deadline):
        self.call = channel.unary_unary(TRUST + "Resolve", PB.ResolveRequest.SerializeToString, PB.ResolveResponse.FromString)
        self.asked = PB.ResolveRequest(request=request())
        self.deadline, self.under_way = deadline, set()
        self.calls, self.failed, self.first, self.slowest = 0, 0, "", 0.0

    async def once(self):
        begin = time.monotonic()
        try:
            answer = await self.call(self.asked, timeout=self.deadline)
            wrong = "" if answer.decision.client_ip == "8.8.8.8" else "client " + answer.decision.client_ip
        except grpc.RpcError as error:
            wrong = "%s: %s" % (error.code(), error.details())
        self.calls += 1
        self.failed += bool(wrong)
        self.first = self.first or wrong
        self.slowest = max(self.slowest, time.monotonic() - begin)

    async def go(self, rate):
        """What a busy machine has kept back is made up for, up to a second of it."""
        begin, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begin) * rate)
            sent = max(sent, due - rate)
            while sent < due:
                task = asyncio.ensure_future(self.once())
                self.under_way.add(task)
                task.add_done_callback(self.under_way.discard)
                sent += 1
            await asyncio.sleep(TICK)

    def told(self):
        slowest, self.slowest = self.slowest, 0.0
        return {"calls": self.calls, "failed": self.failed, "first": self.first, "slowest_ms": round(slowest * 1000)}


def channel_to(address, ca=None):
    if ca is None:
        return grpc.aio.insecure_channel(address)
    with open(ca, "rb") as f:
        return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(f.read()))


async def main(address, rate, deadline, *ca):
    async with channel_to(address, *ca) as channel:
        client = Client(channel, deadline)
        await client.once()
        going = asyncio.ensure_future(client.go(rate))
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(client.told()), flush=True)
        going.cancel()
        await asyncio.gather(*client.under_way)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]))
