"""A whole query in the circle, from manifest to result, byte for byte (query.json). Three sites, two rounds."""
from primitives import chacha20, ed25519_public, x25519_public
from protocol import (
    add, circle_key, circle_secret, commit, encode, envelope, kdf, keystream, ledger_id, manifest_hash, masked, pair_key, pair_seed, results,
    reveal_key, roster_hash, round_hash, seal, self_seed, state_tag, tag, vector_hash, wrap,
)  # fmt: skip


def drawn(name, length=32):
    """Bytes that a party would draw at random."""
    return chacha20(kdf(b"", "known answers", name.encode()), length)


class Party:
    def __init__(self, name):
        self.name, self.seed = name, drawn("identity of " + name)
        self.identity = ed25519_public(self.seed)
        self.log = 0

    def head(self):
        """A head of a log: the roots here are of logs of `log` entries that nobody has."""
        self.log += 1
        return {"size": self.log, "root": drawn(f"root {self.log} of {self.name}")}

    def send(self, kind, /, **values):
        names = {10: "Manifest", 12: "Call", 13: "Accept", 14: "Roster", 15: "Start", 17: "Masked", 20: "Close", 21: "Reveal", 28: "Taken", 35: "Result"}
        return envelope(kind, self.name, self.seed, encode(names[kind], **values))


class Site(Party):
    def __init__(self, number, name):
        super().__init__(name)
        self.number, self.entity = number, "Hospital of " + name
        self.ek_secret, self.root = drawn("ek of " + name), drawn("B of " + name)
        self.ek = x25519_public(self.ek_secret)


SITES = [Site(2, "alpha"), Site(5, "bravo"), Site(9, "charlie")]
NUMBERS = [site.number for site in SITES]
COORDINATOR, RESEARCHER = Party("coordinator"), Party("alice")
DIRECTORY = {site.name: ("site", site.identity) for site in SITES}
DIRECTORY.update(coordinator=("coordinator", COORDINATOR.identity), alice=("researcher", RESEARCHER.identity))
QID, RK_SECRET = drawn("qid"), drawn("rk")
FLOOR = b"policy: strict\n"


class Query:
    """Manifest to roster."""

    def __init__(self):
        self.manifest = RESEARCHER.send(
            10, protocol=2, qid=QID, researcher="alice", rk=x25519_public(RK_SECRET), study=b"study: known-answers\n",
            methods=[{"name": "km", "version": 1}], sites=NUMBERS, bytes_max=1 << 28, rounds_max=256, n_min=3, directory_version=7,
            directory_hash=drawn("directory"), dictionary_hash=kdf(b"", "dictionary", b"dictionary: known\n"),
            created_ms=1795000000000, expires_ms=1795600000000, mode=2,
        )  # fmt: skip
        self.qh = manifest_hash(self.manifest)
        self.call = RESEARCHER.send(12, qid=QID, sites=NUMBERS)
        self.accepts = [self.accept(site) for site in SITES]
        self.roster = self.roster_of(self.accepts)
        self.rho = roster_hash(self.qh, self.accepts)
        self.pairs = {
            (a.number, b.number): pair_key(a.ek_secret, b.ek, self.rho, a.number, b.number) for a in SITES for b in SITES if a is not b
        }
        assert all(self.pairs[i, j] == self.pairs[j, i] for i, j in self.pairs)

    def accept(self, site, /, **changed):
        ledger = [{"id": ledger_id(drawn("an earlier query"), QID), "shown": b"\x05", "roster": b"\x24\x02"}]
        values = dict(
            qid=QID, manifest_hash=self.qh, site=site.number, ek=site.ek, snapshot=3, snapshot_hash=drawn("snapshot of " + site.name),
            floor=FLOOR, own_totals=1, ledger=ledger, head=site.head(), arithmetic=1,
        )  # fmt: skip
        return site.send(13, **{**values, **changed})

    def roster_of(self, accepts, signer=COORDINATOR):
        return signer.send(14, qid=QID, accepts=accepts, head=COORDINATOR.head())


class Round:
    """One round; runs: (bytes, width)."""

    def __init__(self, query, number, runs, layout, plan, theta, previous, key):
        self.query, self.number, self.runs, self.key = query, number, runs, key
        self.length = sum(n for n, _ in runs)
        self.header = encode(
            "RoundHeader", rho=query.rho, round=number, attempt=1, members=NUMBERS, analyses=[0], theta_hash=bytes(32),
            previous_hash=previous, layout_hash=bytes(32), plan_hash=bytes(32), length=0, result_to=1,
        )  # fmt: skip
        self.psi = round_hash(self.header)
        self.start = RESEARCHER.send(15, qid=QID, header=self.header)
        self.theta_hash, self.layout_hash = kdf(b"", "theta", theta), kdf(b"", "layout", layout)
        self.plan_hash = kdf(b"", "plan", plan) if plan else bytes(32)
        self.rs = circle_secret(self.header, self.theta_hash, self.layout_hash, self.plan_hash, self.length, 1)
        self.psi_secret = kdf(key, "round", self.rs)
        self.x = {i: drawn(f"sums of site {i} in round {number}", self.length) for i in NUMBERS}
        self.b = {site.number: self_seed(site.root, self.psi_secret) for site in SITES}
        self.seeds = {pair: pair_seed(k, self.psi_secret) for pair, k in query.pairs.items()}
        self.y = {i: masked(self.x[i], runs, i, self.b[i], {j: self.seeds[i, j] for j in NUMBERS if j != i}) for i in NUMBERS}
        self.messages = {site.number: self.masked(site) for site in SITES}
        self.close = self.close_of(self.messages.values())
        self.close_hash = kdf(b"", "close", self.close)
        self.total = expected = bytes(self.length)
        for i in NUMBERS:
            self.total, expected = add(self.total, self.y[i], runs), add(expected, self.x[i], runs)
        self.sum = self.total
        for i in NUMBERS:
            self.total = add(self.total, keystream(self.b[i], self.length), runs, -1)
        assert self.total == expected

    def masked(self, site, /, **changed):
        i = site.number
        tags = [{"site": j, "tag": tag(self.seeds[i, j], self.psi_secret)} for j in NUMBERS if j != i]
        values = dict(qid=QID, psi=self.psi, site=i, vector_hash=vector_hash(self.y[i]), length=self.length,
                      commit=commit(self.b[i], self.psi_secret), tags=tags, head=site.head())  # fmt: skip
        return site.send(17, **{**values, **changed})

    def close_of(self, messages, psi=None, signer=COORDINATOR):
        return signer.send(20, qid=QID, psi=psi or self.psi, masked=list(messages), head=COORDINATOR.head())

    def reveal(self, site):
        i, first = site.number, not self.key
        keys = [
            {"site": other.number, "sealed": seal(other.ek, self.b[i], drawn(f"seal of {i} to {other.number}"))} for other in SITES if first
        ]
        sealed = b"" if first else wrap(reveal_key(self.key, self.psi_secret, i), self.b[i], drawn(f"reveal of {i}", 24))
        return site.send(21, qid=QID, psi=self.psi, site=i, sealed=sealed, close_hash=self.close_hash, keys=keys)

    def told(self):
        query = self.query
        return {
            "round": self.number, "header": self.header, "psi": self.psi, "start": self.start, "theta_hash": self.theta_hash,
            "layout_hash": self.layout_hash, "plan_hash": self.plan_hash, "length": self.length, "arithmetic": 1, "rs": self.rs,
            "psi_secret": self.psi_secret, "runs": [[n, w] for n, w in self.runs],
            "sites": [
                {"site": i, "x": self.x[i], "b": self.b[i], "seeds": [[j, self.seeds[i, j]] for j in NUMBERS if j != i],
                 "tags": [[j, tag(self.seeds[i, j], self.psi_secret)] for j in NUMBERS if j != i], "commit": commit(self.b[i], self.psi_secret),
                 "y": self.y[i], "vector_hash": vector_hash(self.y[i]), "masked": self.messages[i], "reveal": self.reveal(site)}
                for site in SITES for i in [site.number]
            ],
            "close": self.close, "close_hash": self.close_hash, "sum": self.sum, "total": self.total,
            "taken": [site.send(28, qid=QID, psi=self.psi, site=site.number, tag=self.tag()) for site in SITES] if self.key else [],
            "state_tag": self.tag() if self.key else b"", "state": STATE if self.key else b"", "rho": query.rho,
        }  # fmt: skip

    def tag(self):
        return state_tag(self.key, self.psi_secret, STATE)


STATE = b"what a member took, in bytes"
QUERY = Query()
FIRST = Round(QUERY, 1, [(80, 8)], b"layout of T1", b"", b"", bytes(32), b"")
KEY = circle_key(QUERY.rho, FIRST.psi_secret, [FIRST.b[i] for i in NUMBERS])
SECOND = Round(QUERY, 2, [(48, 8), (64, 16), (24, 8)], b"layout", b"plan", b"theta", FIRST.psi, KEY)


def query_file():
    return {
        "sites": [
            {"site": s.number, "name": s.name, "legal_entity": s.entity, "identity_seed": s.seed, "identity": s.identity,
             "ek_secret": s.ek_secret, "ek": s.ek, "B": s.root} for s in SITES
        ],
        "coordinator": {"name": COORDINATOR.name, "identity_seed": COORDINATOR.seed, "identity": COORDINATOR.identity},
        "researcher": {"name": "alice", "identity_seed": RESEARCHER.seed, "identity": RESEARCHER.identity, "rk_secret": RK_SECRET},
        "qid": QID, "n_min": 3, "manifest": QUERY.manifest, "qh": QUERY.qh, "call": QUERY.call, "accepts": QUERY.accepts,
        "roster": QUERY.roster, "rho": QUERY.rho,
        "pairs": [{"a": i, "b": j, "k": QUERY.pairs[i, j]} for i in NUMBERS for j in NUMBERS if i < j],
        "rounds": [FIRST.told(), SECOND.told()], "circle_key": KEY,
        "result": {"site": 2, "clear": results(QID, 2, SECOND.psi, []), "ephemeral": drawn("result"),
                   "sealed": seal(x25519_public(RK_SECRET), results(QID, 2, SECOND.psi, []), drawn("result"))},
    }  # fmt: skip
