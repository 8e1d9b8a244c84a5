#!/usr/bin/env python3
"""Proxies of e2e.proxy that Debian has no small program for.

proxies.py socks5 PORT [USER PASSWORD]   a SOCKS5 proxy (RFC 1928, 1929)
proxies.py tls|html|closes PORT          an HTTP proxy that opens the way and then answers itself, as those that inspect TLS do:
                                         with an alert of TLS, with a page, or by hanging up on what is no TLS
proxies.py far PORT MS SECONDS           an HTTP proxy to which every byte takes so long each way, and which cuts every connection after
                                         half to once and a half of so many seconds: what was on its way is lost"""
import queue
import random
import socket
import struct
import sys
import threading
import time


def passing(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for end in (a, b):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def exactly(end, n):
    data = b""
    while len(data) < n:
        more = end.recv(n - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def socks5(end, secret):
    _, n = exactly(end, 2)
    methods = exactly(end, n)
    wanted = 2 if secret else 0
    if wanted not in methods:
        end.sendall(b"\x05\xff")
        return
    end.sendall(bytes([5, wanted]))
    if secret:
        _, n = exactly(end, 2)
        user = exactly(end, n).decode()
        password = exactly(end, exactly(end, 1)[0]).decode()
        end.sendall(b"\x01\x00" if (user, password) == secret else b"\x01\x01")
        if (user, password) != secret:
            return
    _, command, _, kind = exactly(end, 4)
    host = (socket.inet_ntoa(exactly(end, 4)) if kind == 1 else exactly(end, exactly(end, 1)[0]).decode() if kind == 3
            else socket.inet_ntop(socket.AF_INET6, exactly(end, 16)))
    port = struct.unpack("!H", exactly(end, 2))[0]
    try:
        far = socket.create_connection((host, port), timeout=5)
    except OSError:
        end.sendall(b"\x05\x05\x00\x01" + bytes(6))
        return
    far.settimeout(None)
    end.sendall(b"\x05\x00\x00\x01" + bytes(6))
    threading.Thread(target=passing, args=(far, end), daemon=True).start()
    passing(end, far)


def inspecting(end, kind):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(end, 1)
    end.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    exactly(end, 1)
    if kind == "tls":
        end.sendall(b"\x15\x03\x03\x00\x02\x02\x0a")  # fatal: unexpected_message
    elif kind == "html":
        end.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>blocked</html>")


def delayed(a, b, ms):
    way = queue.Queue()

    def leave():
        try:
            while True:
                due, data = way.get()
                time.sleep(max(0, due - time.monotonic()))
                if not data:
                    break
                b.sendall(data)
        except OSError:
            pass
        cut(a, b)

    threading.Thread(target=leave, daemon=True).start()
    try:
        while data := a.recv(65536):
            way.put((time.monotonic() + ms / 1000, data))
    except OSError:
        pass
    way.put((time.monotonic() + ms / 1000, b""))


def cut(*ends):
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def far_away(end, ms, seconds):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(end, 1)
    host, _, port = head.split()[1].decode().rpartition(":")
    far = socket.create_connection((host, int(port)), timeout=5)
    far.settimeout(None)
    end.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    timer = threading.Timer(random.uniform(0.5, 1.5) * seconds, cut, (end, far))
    timer.daemon = True
    timer.start()
    threading.Thread(target=delayed, args=(far, end, ms), daemon=True).start()
    delayed(end, far, ms)
    print("cut", flush=True)


def serve(kind, port, *secret):
    ear = socket.create_server(("127.0.0.1", int(port)))
    print("listens", flush=True)
    while True:
        end, _ = ear.accept()

        def one(end=end):
            try:
                if kind == "socks5":
                    socks5(end, secret)
                elif kind == "far":
                    far_away(end, float(secret[0]), float(secret[1]))
                else:
                    inspecting(end, kind)
            except OSError:
                pass
            end.close()

        threading.Thread(target=one, daemon=True).start()


serve(*sys.argv[1:])
