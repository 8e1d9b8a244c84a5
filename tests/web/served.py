"""A sandbox with its page, for the tests of this folder: `with Served(bin, tmp, sites=3) as page:`. One request is one connection of ours, so
that every header is what the test says and nothing else."""
import os
import re
import shutil
import socket
import subprocess
import time


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/") else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), value.strip())
        if self.headers.get("transfer-encoding") == "chunked":
            self.body = unchunk(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


def unchunk(body):
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        n = int(size or b"0", 16)
        if n == 0:
            break
        out, body = out + rest[:n], rest[n + 2:]
    return out


class Served:
    def __init__(self, programs, tmp, sites=3, extra=(), data=None, policy=None):
        self.maille, self.tmp = os.path.join(programs, "maille"), tmp
        self.box = os.path.join(tmp, "box-of-a-hospital-with-a-long-name")
        shutil.rmtree(tmp, ignore_errors=True)
        os.makedirs(tmp)
        self.environment = {**os.environ, "XDG_STATE_HOME": os.path.join(tmp, "state"), "HOME": tmp}
        self.environment.pop("MAILLE_PASSPHRASE", None)
        patients = ["--data", data] if data else ["--synthetic", "300"]
        up = [self.maille, "sandbox", "up", "--dir", self.box, *patients, "--dictionary", "examples/rotterdam/dictionary.yaml",
              "--sites", str(sites), *(["--policy", policy] if policy else [])]
        subprocess.run(up, check=True, env=self.environment, stdout=subprocess.DEVNULL)
        self.extra, self.server, self.cookie = list(extra), None, None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, words=("sandbox", "web", "--dir")):
        folder = [self.box] if words[-1] == "--dir" else []
        self.server = subprocess.Popen([self.maille, *words, *folder, *self.extra], env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, text=True)
        self.address = self.server.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/enter\?ticket=([0-9a-f]{64})", self.address)
        assert found, f"expected an address with a ticket, found {self.address!r}"
        self.port, self.ticket = int(found[1]), found[2]
        self.host = f"127.0.0.1:{self.port}"

    def beside(self, program=None, words=("sandbox", "web", "--dir"), extra=()):
        """Another page on the same sandbox: another role's. Started; to be stopped by the caller."""
        other = Served.__new__(Served)
        other.__dict__.update(self.__dict__, server=None, cookie=None, extra=list(extra), maille=program or self.maille)
        other.start(words)
        return other

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(30)
            self.server.stdout.close()
            self.server = None

    def __exit__(self, *_):
        self.stop()
        subprocess.run([self.maille, "sandbox", "down", "--dir", self.box], env=self.environment, stdout=subprocess.DEVNULL)

    def raw(self, data, timeout=60):
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            out = b""
            while block := s.recv(65536):
                out += block
        return Answer(out) if out else None

    def request(self, method, path, headers=None, body=b"", host=None, **more):
        """headers: {name: value}, or a list of pairs; a value None takes one of the usual ones away."""
        usual = {"Host": host or self.host, "Connection": "close"}
        if self.cookie:
            usual["Cookie"] = self.cookie
        if method == "POST":
            usual |= {"Origin": f"http://{self.host}", "X-Maille": "page", "Content-Type": "application/x-maille",
                      "Content-Length": str(len(body))}
        usual |= dict(headers or {})
        head = "".join(f"{k}: {v}\r\n" for k, v in usual.items() if v is not None)
        return self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body, **more)

    def get(self, path, headers=None, **more):
        return self.request("GET", path, headers, **more)

    def post(self, path, body=b"", headers=None, **more):
        return self.request("POST", path, headers, body if isinstance(body, bytes) else body.encode(), **more)

    def enter(self):
        answer = self.get(f"/enter?ticket={self.ticket}", {"Cookie": None})
        assert answer.status == 303, answer.text
        self.set_cookie = answer.headers["set-cookie"]
        self.cookie = self.set_cookie.split(";")[0]
        return answer

    def wait(self, number, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            page = self.get(f"/answer?n={number}").text
            if 'data-runs="yes"' not in page:
                return page
            time.sleep(0.3)
        raise AssertionError(f"expected study {number} to end within {seconds} s, found that it runs")


STUDY = """study: threats
dictionary: rotterdam@1
title: {title}
purpose: research-public-interest
legal_basis: MR-004
protocol: HDH-0000
expires: 2029-12-31
sites: all
analyses:
  - {{ id: patients, method: count, by: chemo }}
  - {{ id: os, method: km, formula: "Surv(dtime, death) ~ chemo" }}
"""
