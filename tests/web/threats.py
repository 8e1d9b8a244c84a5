#!/usr/bin/env python3
"""Who gets into the page and who does not: a real maille web on a real sandbox, and requests of which every byte is the test's.

threats.py BIN TMP      each function below is one row of docs/THREAT_MODEL.md, "The page on your own machine"."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from served import STUDY, Answer, Served


def expect(what, found, wanted):
    assert found == wanted, f"{what}: expected {wanted}, found {found}"


def ticket(page):
    """A guessed ticket, one that is used twice, none, and another's cookie."""
    expect("a page without a session", page.get("/").status, 401)
    expect("an asset without a session", page.get("/page/web.css").status, 401)
    expect("a guessed ticket", page.get("/enter?ticket=" + "0" * 64).status, 403)
    expect("an empty ticket", page.get("/enter?ticket=").status, 403)
    expect("a short ticket", page.get("/enter?ticket=" + page.ticket[:63]).status, 403)
    expect("a ticket by POST", page.post("/enter?ticket=" + page.ticket).status, 403)
    answer = page.enter()
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in page.set_cookie, f"expected {word} in the cookie, found {page.set_cookie}"
    assert page.set_cookie.startswith(f"maille-{page.port}="), page.set_cookie
    expect("where a ticket leads to", answer.headers["location"], "/")
    expect("a ticket that is used twice", page.get("/enter?ticket=" + page.ticket, {"Cookie": None}).status, 403)
    expect("a page with the session", page.get("/").status, 200)
    name, _, value = page.cookie.partition("=")
    expect("a cookie with one other digit", page.get("/", {"Cookie": f"{name}={'0' if value[0] != '0' else '1'}{value[1:]}"}).status, 401)
    expect("the cookie of another port's name", page.get("/", {"Cookie": f"maille-1={value}"}).status, 401)


def rebinding(page):
    """A name of an attacker's that leads to 127.0.0.1."""
    for host in ("evil.example", f"evil.example:{page.port}", "127.0.0.1", f"127.0.0.1:{page.port + 1}", f"[::1]:{page.port + 1}",
                 f"{page.host}.evil.example", "localhost"):
        expect(f"Host: {host}", page.get("/", host=host).status, 421)
    expect("no Host", page.raw(f"GET / HTTP/1.0\r\nCookie: {page.cookie}\r\n\r\n".encode()).status, 421)
    both = f"GET / HTTP/1.1\r\nHost: {page.host}\r\nHost: evil.example\r\nCookie: {page.cookie}\r\nConnection: close\r\n\r\n"
    expect("two Hosts", page.raw(both.encode()).status, 400)
    expect("Host: localhost with the port, which may be another's at ::1", page.get("/", host=f"localhost:{page.port}").status, 421)


def other_pages(page):
    """A page of another origin, and one of another port of this machine (same site, other origin), with the cookie."""
    study = STUDY.format(title="x")
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{page.port + 1}", f"https://{page.host}", f"http://localhost:{page.port}"):
        expect(f"POST from {origin}", page.post("/ask", study, {"Origin": origin}).status, 403)
        expect(f"GET from {origin}", page.get("/", {"Origin": origin}).status, 403)
    for site in ("cross-site", "same-site"):
        expect(f"GET, {site}", page.get("/", {"Sec-Fetch-Site": site}).status, 403)
        expect(f"POST, {site}", page.post("/ask", study, {"Sec-Fetch-Site": site, "Origin": None}).status, 403)
    expect("a form's POST", page.post("/ask", study, {"X-Maille": None, "Content-Type": "application/x-www-form-urlencoded"}).status, 403)
    expect("a POST without the marker", page.post("/ask", study, {"X-Maille": None}).status, 403)
    expect("a POST of plain text", page.post("/ask", study, {"Content-Type": "text/plain"}).status, 415)
    for method in ("OPTIONS", "PUT", "DELETE", "HEAD", "TRACE"):
        expect(method, page.request(method, "/").status, 405)
    answer = page.request("OPTIONS", "/ask", {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
    assert not any(name.startswith("access-control") for name in answer.headers), answer.headers
    expect("studies that were asked", os.path.exists(os.path.join(page.box, "web", "studies")), False)


def framed(page):
    """What every answer forbids the browser."""
    for path in ("/", "/page/base.js", "/report.css", "/nothing"):
        said = page.get(path).headers
        policy = said["content-security-policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy, f"{path}: expected {rule} in {policy}"
        assert "unsafe" not in policy, policy
        expect("nosniff", said["x-content-type-options"], "nosniff")
        expect("no framing", said["x-frame-options"], "DENY")
        expect("no store", said["cache-control"], "no-store")
        expect("who may read it", said["cross-origin-resource-policy"], "same-origin")
    expect("the type of a script", page.get("/page/base.js").headers["content-type"], "text/javascript; charset=utf-8")


def hostile_title(page):
    """A study's own words are text, wherever they are shown."""
    title = "\"</title><script>alert(1)</script><img src=x onerror=alert(2)>\\\" onmouseover=alert(3)\""
    for path, n in (("/ask", 1), ("/check", 0)):
        said = json.loads(page.post(path, STUDY.format(title=title)).text)
    number = json.loads(page.post("/ask", STUDY.format(title=title)).text)["number"]
    shown = page.wait(number)
    for where, text in ((f"/answer?n={number}", shown), ("/", page.get("/").text), (f"/study?n={number}", page.get(f"/study?n={number}").text)):
        assert "onerror" in text, f"{where}: expected the title, found none"
        for markup in ("<script>alert", "<img src=x", "</title><script", "\" onmouseover"):
            assert markup not in text, f"{where}: expected the title escaped, found {markup}"
    assert said["valid"], said


def oversized(page):
    """More than is taken: refused before it is read, or hung up on."""
    expect("a body of 1 MiB and a byte", page.post("/check", b"x" * 10, {"Content-Length": str(1024 * 1024 + 1)}).status, 413)
    expect("a body without a length", page.raw((f"POST /check HTTP/1.1\r\nHost: {page.host}\r\nCookie: {page.cookie}\r\nX-Maille: page\r\n"
           "Content-Type: application/x-maille\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n").encode()).status, 411)
    two = (f"POST /check HTTP/1.1\r\nHost: {page.host}\r\nCookie: {page.cookie}\r\nX-Maille: page\r\nContent-Type: application/x-maille\r\n"
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n")
    expect("a body of two lengths", page.raw(two.encode()).status, 400)
    largest = page.post("/check", b"#" * (1024 * 1024))
    expect("a body of 1 MiB", largest.status, 200)
    assert not json.loads(largest.text)["valid"]
    answer = page.get("/", {"X-Long": "x" * 64 * 1024})
    assert answer is None or answer.status in (400, 413, 431), answer.status
    many = page.get("/", {f"X-{i}": "1" for i in range(100)})
    expect("100 headers", many.status, 400)
    expect("a long path", page.get("/" + "a" * 300).status, 400)
    expect("a query of other letters", page.get("/answer?n=%3Cscript%3E").status, 400)
    expect("another folder", page.get("/page/../page/base.js").status, 404)
    expect("another folder, disguised", page.get("/%2e%2e/etc/passwd").status, 404)
    for what in ("..", ".", "lock%2f..", "study.yaml.", "network.yaml", "researcher.key"):
        status = page.get(f"/download?n=0001&what={what}").status
        assert status == 400, f"expected no file {what}, found {status}"
    expect("a number that is none", "no" in page.get("/answer?n=9999").text, True)


def slow(page):
    """A byte now and then holds a connection for no longer than ten seconds, and many hold no other one up."""
    began = time.monotonic()
    sockets = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(40)]
    for s in sockets:
        s.sendall(b"GET / HTTP/1.1\r\nHost: ")
    expect("a page beside 40 slow ones", page.get("/").status, 200)
    s = sockets[0]
    s.settimeout(0.9)
    ended = False
    while not ended and time.monotonic() - began < 20:
        try:
            s.sendall(b"x")
            ended = s.recv(1) == b""
        except TimeoutError:
            pass
        except OSError:
            ended = True
    took = time.monotonic() - began
    assert ended and took < 18, f"expected a slow request to be hung up on within 18 s, found {took:.1f} s"
    more = []
    for _ in range(80): # more than are taken: the others wait or are let go, and the page stays
        try:
            more.append(socket.create_connection(("127.0.0.1", page.port), timeout=1))
        except OSError:
            break
    for s in sockets + more:
        s.close()
    time.sleep(0.5)
    expect("the page after all of them", page.get("/").status, 200)


def walls(page):
    """What speaks HTTP has no key, no file, no way to start a program: the kernel says so."""
    children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(page.server.pid)], capture_output=True, text=True).stdout
    pid = next(int(line.split()[0]) for line in children.splitlines() if line.split()[1] == "maille-web")
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status", encoding="utf-8") if ":" in line)
    expect("seccomp", status["Seccomp"].strip(), "2")
    expect("no new privileges", status["NoNewPrivs"].strip(), "1")
    kinds = sorted(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd"))
    for kind in kinds:
        tables = (f"/proc/{pid}/net/tcp", f"/proc/{pid}/net/tcp6")
        assert kind.startswith(("socket", "anon_inode", "pipe", "/dev/null")) or "/" not in kind or kind in tables, kinds
    for fd in (0, 1, 2): # it reads no terminal and prints as nobody else
        mode = int(re.search(r"flags:\s*0*([0-7]+)", open(f"/proc/{pid}/fdinfo/{fd}", encoding="utf-8").read())[1], 8) & os.O_ACCMODE
        null = os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
        assert null or (fd == 2 and mode == os.O_WRONLY), f"expected {fd} to be nothing or for errors alone"
    expect("its environment", open(f"/proc/{pid}/environ", "rb").read(), b"")
    libraries = open(f"/proc/{pid}/maps", encoding="utf-8").read()
    for absent in ("libsodium", "librsvg", "libhdf5", "libzmq"):
        assert absent not in libraries, f"expected maille-web without {absent}"
    expect("where it listens", sum(f":{page.port:04X} 00000000:0000" in line for line in open("/proc/net/tcp", encoding="utf-8")), 1)
    assert any(f"0100007F:{page.port:04X}" in line for line in open("/proc/net/tcp", encoding="utf-8")), "expected it at 127.0.0.1 alone"


def proxy(page):
    """Behind a hospital's proxy: its name alone, its group alone, a cookie for https alone."""
    path, name = os.path.join(page.tmp, "page.socket"), "maille.hospital.example"
    words = ["web", "--network", f"{page.box}/network.yaml", "--key", f"{page.box}/researcher.key", "--credential", f"{page.box}/credential",
             "--dir", os.path.join(page.tmp, "proxied")]
    alone = subprocess.run([page.maille, *words, "--socket", path], env=page.environment, capture_output=True, text=True)
    assert alone.returncode == 2 and "--host" in alone.stderr, alone.stderr
    server = subprocess.Popen([page.maille, *words, "--socket", path, "--host", name], env=page.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        assert address.startswith(f"https://{name}/enter?ticket="), address
        expect("the socket's mode", oct(os.stat(path).st_mode & 0o777), "0o660")

        def ask(where, host, cookie=""):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
                s.sendall(f"GET {where} HTTP/1.1\r\nHost: {host}\r\n{cookie}Connection: close\r\n\r\n".encode())
                out = b""
                while block := s.recv(65536):
                    out += block
            return Answer(out)

        where = address[len(f"https://{name}"):]
        for host in ("127.0.0.1", "localhost", "evil.example", f"{name}:1"):
            expect(f"Host: {host}", ask(where, host).status, 421)
        answer = ask(where, name)
        expect("the ticket", answer.status, 303)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-maille=") and cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure"), cookie
        expect("the page", ask("/", name, f"Cookie: {cookie.split(';')[0]}\r\n").status, 200)
        expect("the page without the cookie", ask("/", name).status, 401)
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
    expect("the socket afterwards", os.path.exists(path), False)


def stranger(page):
    """Another user of this machine, who has the cookie: a browser sends it to every port of 127.0.0.1."""
    if os.geteuid() != 0: # only root can be somebody else; web.peer reads the rows of others
        return
    program = ("import socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)\n"
               "try:\n    s.sendall(sys.argv[2].encode())\n    sys.stdout.write(s.recv(99).decode())\nexcept OSError:\n    pass\n")
    text = f"GET / HTTP/1.1\r\nHost: {page.host}\r\nCookie: {page.cookie}\r\nConnection: close\r\n\r\n"
    for user, wanted in ((0, "HTTP/1.1 200"), (65534, "")):
        said = subprocess.run([sys.executable, "-c", program, str(page.port), text], capture_output=True, text=True, check=True,
                              user=user, cwd="/").stdout
        expect(f"what user {user} is answered", said[:12], wanted)


def inbox(page):
    """Whoever writes into an officer's inbox: what is signed is what she has read, and no link is followed."""
    folder, query = os.path.join(page.tmp, "inbox"), "ab" * 32
    os.makedirs(folder)
    asked = f"maille pending 1\nquery: {query}\nresearcher: r\ntitle: t\n\nthe study as it was signed:\nstudy: x\n"
    with open(os.path.join(folder, f"{query}.pending"), "w", encoding="utf-8") as f:
        f.write(asked + "\0what no page shows\n")
    precious = os.path.join(page.tmp, "precious")
    with open(precious, "w", encoding="utf-8") as f:
        f.write("mine")
    os.symlink(precious, os.path.join(folder, f"{query}.decision"))
    site = sorted(os.listdir(os.path.join(page.box, "sites")))[0]
    words = ["web", "--network", f"{page.box}/network.yaml", "--key", f"{page.box}/sites/{site}/dpo.key", "--credential", f"{page.box}/credential",
             "--inbox", folder, "--dir"]
    officer = page.beside(words=[*words[:-1], "--dir", os.path.join(page.tmp, "officer"), "--port", "0"])
    try:
        officer.enter()
        shown = re.search(r'data-hash="([0-9a-f]{64})"', officer.get(f"/question?q={query}").text)[1]
        expect("another text than the one read", officer.post(f"/decide?q={query}&kind=deny&h={'0' * 64}", "no").status, 400)
        answer = officer.post(f"/decide?q={query}&kind=deny&h={shown}", "no")
        expect("a decision", answer.status, 200)
        signed = open(os.path.join(folder, f"{query}.decision"), encoding="utf-8").read()
        expect("the text that was signed", re.search(r"^pending: (.*)$", signed, re.M)[1], shown)
        expect("what a link leads to", open(precious, encoding="utf-8").read(), "mine")
        for path in ("/ask", "/check", "/cancel", "/resume", "/import-file", "/rollback"):
            expect(f"a researcher's or IT's {path} at an officer's page", officer.post(path).status, 404)
            expect(f"the officer's /decide at a researcher's page", page.post("/decide").status, 404)
    finally:
        officer.stop()


def outlives(page):
    """A study that runs, and the key with it, ends with maille web, however that ends."""
    subprocess.run([page.maille, "sandbox", "down", "--dir", page.box], env=page.environment, stdout=subprocess.DEVNULL, check=True)
    for how in (signal.SIGHUP, signal.SIGKILL):
        page.cookie = None
        page.start()
        page.enter()
        number = json.loads(page.post("/ask", STUDY.format(title="x")).text)["number"]
        folder = os.path.join(page.box, "web", "studies", number)
        for _ in range(100): # it is at work, and waits for a coordinator that is gone
            workers = holders(os.path.join(folder, "lock"))
            if workers and os.path.exists(os.path.join(folder, "events")):
                break
            time.sleep(0.1)
        expect(f"who works at study {number}", len(workers), 1)
        page.server.send_signal(how)
        page.server.wait(30)
        for _ in range(100):
            if not holders(os.path.join(folder, "lock")):
                break
            time.sleep(0.1)
        expect(f"who works at study {number} after {how.name}", holders(os.path.join(folder, "lock")), [])
        page.server.stdout.close()
        page.server = None


def holders(path):
    """Processes that have a file locked."""
    inode = os.stat(path).st_ino
    return [int(line.split()[4]) for line in open("/proc/locks", encoding="utf-8") if line.split()[5].endswith(f":{inode}")]


def ends(page):
    """The page ends with the program, whichever of the two goes first."""
    page.stop()
    try:
        socket.create_connection(("127.0.0.1", page.port), timeout=1).close()
    except OSError:
        pass
    else:
        raise AssertionError("expected nobody at the port, found a server")
    page.cookie = None
    page.start()
    old = page.server
    old.send_signal(signal.SIGKILL)
    old.wait()
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", page.port), timeout=1).close()
            time.sleep(0.1)
        except OSError:
            return
    raise AssertionError("expected maille-web to end with maille web, found that it goes on")


def main(programs, tmp):
    with Served(programs, tmp) as page:
        for threat in (ticket, rebinding, other_pages, framed, hostile_title, oversized, walls, stranger, inbox, slow, proxy, ends, outlives):
            threat(page)
            print("held:", threat.__doc__.split("\n")[0])


main(sys.argv[1], sys.argv[2])
