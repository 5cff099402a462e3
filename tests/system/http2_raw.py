"""HTTP/2 made by hand, for those who break it: frames as bytes, a connection that is poured full, and what came back."""
import select
import socket
import ssl
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4
CANCEL, ENHANCE_YOUR_CALM = 8, 11


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A field that leaves the table as it was; both shorter than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def fields(path, *more):
    """The header block of a call: POST and http are in the static table."""
    pairs = ((b":path", path.encode()), (b":authority", b"x"), (b"content-type", b"application/grpc"), (b"te", b"trailers"), *more)
    return b"\x83\x86" + b"".join(literal(*pair) for pair in pairs)


def headers(stream, block, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def message(body):
    return b"\0" + struct.pack(">I", len(body)) + body


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def window(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def setting(number, value):
    return struct.pack(">HI", number, value)


def greeting(*settings):
    return PREFACE + frame(SETTINGS, 0, 0, b"".join(settings))


LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Raw:
    """A connection to a daemon's grpc listener; with a context of ssl: by TLS, the handshake done."""

    def __init__(self, address, source="127.0.0.1", context=None):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), 20, source_address=(source, 0))
        if context is not None:
            plain = self.sock
            try:
                self.sock = context.wrap_socket(plain, server_hostname="localhost")
            except BaseException:
                plain.close()
                raise
        self.got, self.sent, self.closed = bytearray(), 0, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def pour(self, data, read=True, stall=3.0):
        """Sends until all is sent, the other side ends the connection, or takes nothing for so many seconds."""
        view, at, last = memoryview(data), 0, time.monotonic()
        self.sock.setblocking(False)
        while at < len(view) and not self.closed and time.monotonic() - last < stall:
            ready = self._wait((select.POLLIN if read else 0) | select.POLLOUT, 200)
            if read and ready & ~select.POLLOUT:
                self._take()
            if ready & ~select.POLLIN and not self.closed:
                try:
                    n = self.sock.send(view[at:at + 262144])
                    at, last = at + n, time.monotonic()
                except LATER:
                    pass
                except OSError:
                    self.closed = True
        self.sent += at
        return at

    def _wait(self, events, ms):
        poll = select.poll()
        poll.register(self.sock, events)
        return next((ready for _, ready in poll.poll(ms)), 0)

    def _take(self):
        try:
            more = self.sock.recv(262144)
        except LATER:
            return
        except OSError:
            more = b""
        self.got += more
        self.closed = self.closed or not more

    def listen(self, seconds, until=None):
        """Reads until the other side ends, until() holds, or the time is over."""
        end = time.monotonic() + seconds
        self.sock.setblocking(False)
        while not self.closed and not (until and until()) and time.monotonic() < end:
            if self._wait(select.POLLIN, 100):
                self._take()

    def frames(self):
        """(type, flags, stream, payload) of all that has come whole."""
        at = 0
        while len(self.got) - at >= 9:
            n = int.from_bytes(self.got[at:at + 3], "big")
            if len(self.got) - at - 9 < n:
                return
            yield self.got[at + 3], self.got[at + 4], int.from_bytes(self.got[at + 5:at + 9], "big"), bytes(self.got[at + 9:at + 9 + n])
            at += 9 + n

    def count(self, kind):
        return sum(k == kind for k, *_ in self.frames())

    def last_stream(self):
        """The last stream that the other side has looked at, by its last GOAWAY; 0 without one."""
        said = [int.from_bytes(payload[:4], "big") for kind, _, _, payload in self.frames() if kind == GOAWAY]
        return said[-1] if said else 0

    def farewell(self):
        """The error code of the last GOAWAY; None without one."""
        codes = [int.from_bytes(payload[4:8], "big") for kind, _, _, payload in self.frames() if kind == GOAWAY]
        return codes[-1] if codes else None
