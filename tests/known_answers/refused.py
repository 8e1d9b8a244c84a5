"""What must be refused, and beside it what must be taken (refused.json): each is one thing wrong in the query of exchange.py."""
from checks import check_close, check_consistency, check_inclusion, check_reveal, check_roster, open_message
from exchange import COORDINATOR, DIRECTORY, KEY, NUMBERS, QID, QUERY, RESEARCHER, SECOND, SITES, drawn
from primitives import Q, Refused, ed25519_sign, secretbox, x25519_public
from protocol import (
    commit, consistency, encode, envelope, inclusion, kdf, leaf_hash, reveal_key, seal, seal_open, signed, tag, tree_root, varint, wrap, wrap_open,
)  # fmt: skip

ALPHA, BRAVO, CHARLIE = SITES
ROUND = SECOND


def flipped(data, at=-1, bit=1):
    out = bytearray(data)
    out[at] ^= bit
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def raw(kind, sender, body, signature):
    """Fields of an envelope, which may be put together wrongly."""
    return [varint(1 << 3) + varint(kind), field(2, sender.encode()), field(3, body), field(4, signature)]


def messages():
    """(name, taken?, why, frame 0, frame 1 or None, kinds that are expected)."""
    accept = QUERY.accepts[0]
    values = dict(qid=QID, manifest_hash=QUERY.qh, site=2, ek=ALPHA.ek, snapshot=3, floor=b"policy: strict\n", arithmetic=1,
                  snapshot_hash=drawn("snapshot of alpha"), head={"size": 1, "root": drawn("root")})  # fmt: skip
    body = encode("Accept", **values)
    signature = ed25519_sign(ALPHA.seed, signed("accept", body))
    parts = raw(13, "alpha", body, signature)
    whole = b"".join(parts)
    large = signature[:32] + (int.from_bytes(signature[32:], "little") + Q).to_bytes(32, "little")

    def resigned(body):
        return envelope(13, "alpha", ALPHA.seed, body)

    pull = envelope(18, "coordinator", None, encode("Pull", qid=QID, psi=ROUND.psi, source=2, first=1, count=1))
    yield "accept", True, "as it should be", accept, None, ["accept"]
    yield "accept_again", True, "as it should be", whole, None, ["accept"]
    yield "pull", True, "as it should be: not signed", pull, None, ["pull"]
    yield "masked", True, "as it should be, with its vector", ROUND.messages[2], ROUND.y[2], ["masked"]
    yield "empty", False, "no byte", b"", None, ["accept"]
    for end in (1, 2, 5, len(whole) // 2, len(whole) - 64, len(whole) - 1):
        yield f"truncated_{end}", False, f"the first {end} bytes alone", whole[:end], None, ["accept"]
    yield "longer", False, "a byte of zero behind the end", whole + b"\0", None, ["accept"]
    yield "unknown_field", False, "an envelope with a field 5", whole + field(5, b"x"), None, ["accept"]
    yield "twice", False, "the signature's field twice", whole + parts[3], None, ["accept"]
    yield "order", False, "the sender before the kind", b"".join([parts[1], parts[0], *parts[2:]]), None, ["accept"]
    yield "padded_varint", False, "the kind in two bytes where one is enough", b"\x08\x8d\x00" + b"".join(parts[1:]), None, ["accept"]
    yield "body_unknown_field", False, "a signed body with a field 15", resigned(body + field(15, b"x")), None, ["accept"]
    yield "body_zero", False, "a signed body in which a 0 is written (own_totals)", resigned(
        body.replace(field(7, b"policy: strict\n"), field(7, b"policy: strict\n") + b"\x40\x00")
    ), None, ["accept"]
    yield "body_truncated", False, "a signed body that ends early", resigned(body[:-1]), None, ["accept"]
    yield "short_qid", False, "a signed body whose qid has 31 bytes", resigned(encode("Accept", **{**values, "qid": QID[:31]})), None, ["accept"]
    yield "no_signature", False, "signed by nobody", b"".join(parts[:3]), None, ["accept"]
    yield "short_signature", False, "63 bytes of a signature", b"".join([*parts[:3], field(4, signature[:63])]), None, ["accept"]
    yield "superfluous_signature", False, "a signature where none belongs", pull + field(4, signature), None, ["pull"]
    yield "superfluous_frame", False, "an accept with a second frame", whole, b"12345678", ["accept"]
    yield "signature_flipped", False, "one bit of S", b"".join([*parts[:3], field(4, flipped(signature, 40))]), None, ["accept"]
    yield "signature_r_flipped", False, "one bit of R", b"".join([*parts[:3], field(4, flipped(signature, 3))]), None, ["accept"]
    yield "signature_large", False, "S plus the order of the group: valid for a reader that does not look", b"".join(
        [*parts[:3], field(4, large)]
    ), None, ["accept"]
    yield "body_flipped", False, "one bit of what is signed (the snapshot's hash)", whole.replace(
        drawn("snapshot of alpha"), flipped(drawn("snapshot of alpha"))
    ), None, ["accept"]
    yield "other_name", False, "signed as a ready", b"".join(
        [*parts[:3], field(4, ed25519_sign(ALPHA.seed, signed("ready", body)))]
    ), None, ["accept"]
    yield "no_name", False, "signed without a name", b"".join([*parts[:3], field(4, ed25519_sign(ALPHA.seed, body))]), None, ["accept"]
    yield "other_key", False, "signed by bravo as alpha", envelope(13, "alpha", BRAVO.seed, body), None, ["accept"]
    yield "stranger", False, "signed by somebody who is not in the directory", envelope(13, "mallory", drawn("mallory"), body), None, ["accept"]
    yield "other_role", False, "an accept that the researcher signed", envelope(13, "alice", RESEARCHER.seed, body), None, ["accept"]
    yield "kind_0", False, "a message without a kind", b"".join(parts[1:]), None, ["accept"]
    yield "kind_23", False, "a kind that no longer is", envelope(23, "alpha", None, body), None, ["accept"]


def context():
    return {"qid": QID, "qh": QUERY.qh, "sites": NUMBERS, "n_min": 3, "numbers": {s.name: s.number for s in SITES},
            "directory": DIRECTORY, "entities": {s.number: s.entity for s in SITES}, "own": 2, "accept": QUERY.accepts[0],
            "masked": ROUND.messages[2], "psi": ROUND.psi, "members": NUMBERS}  # fmt: skip


def rosters():
    a, b, c = QUERY.accepts
    one, two = QUERY.accept(BRAVO, ek=bytes(32)), QUERY.accept(BRAVO, manifest_hash=drawn("another manifest"))
    yield "roster", True, "as it should be", QUERY.roster
    yield "another_ek", True, "bravo's accept with another key: another roster, which alone is no fault", QUERY.roster_of(
        [a, QUERY.accept(BRAVO, ek=x25519_public(drawn("other ek"))), c]
    )
    yield "too_few", False, "two accepts, n_min is 3", QUERY.roster_of([a, b])
    yield "without_own", False, "the reader's own accept is missing", QUERY.roster_of([b, c])
    yield "descending", False, "in another order", QUERY.roster_of([a, c, b])
    yield "twice", False, "one site twice", QUERY.roster_of([a, b, b, c])
    yield "own_altered", False, "the reader's own accept with another key, well signed", QUERY.roster_of(
        [QUERY.accept(ALPHA, ek=x25519_public(drawn("other ek"))), b, c]
    )
    yield "small_order", False, "bravo's key is a point of small order", QUERY.roster_of([a, one, c])
    yield "other_manifest", False, "bravo accepted another manifest", QUERY.roster_of([a, two, c])
    yield "other_query", False, "bravo's accept is of another query", QUERY.roster_of([a, QUERY.accept(BRAVO, qid=drawn("other")), c])
    yield "other_number", False, "bravo says that it is charlie", QUERY.roster_of([a, QUERY.accept(BRAVO, site=9), c])
    yield "unsigned_accept", False, "one bit of an accept's signature", QUERY.roster_of([a, flipped(b), c])
    yield "by_a_site", False, "signed by a site instead of the coordinator", QUERY.roster_of([a, b, c], signer=BRAVO)
    yield "flipped", False, "one bit of the roster's signature", flipped(QUERY.roster)


def closes():
    m = ROUND.messages
    tags = [{"site": 2, "tag": drawn("a tag", 16)}, {"site": 9, "tag": drawn("another tag", 16)}]
    yield "close", True, "as it should be", ROUND.close
    yield "tag_flipped", False, "one bit of bravo's tag for alpha", ROUND.close_of([m[2], ROUND.masked(BRAVO, tags=first_flipped()), m[9]])
    yield "tag_flipped_of_others", False, "one bit of charlie's tag for bravo: a pair that the reader is not in", ROUND.close_of(
        [m[2], m[5], ROUND.masked(CHARLIE, tags=second_flipped())]
    )
    yield "tags_made_up", False, "tags of no key", ROUND.close_of([m[2], ROUND.masked(BRAVO, tags=tags), m[9]])
    yield "tag_missing", False, "bravo has no tag for charlie", ROUND.close_of([m[2], ROUND.masked(BRAVO, tags=tags[:1]), m[9]])
    yield "member_missing", False, "charlie's message is not there", ROUND.close_of([m[2], m[5]])
    yield "member_twice", False, "bravo's message twice", ROUND.close_of([m[2], m[5], m[5]])
    yield "other_order", False, "in another order", ROUND.close_of([m[5], m[2], m[9]])
    yield "own_altered", False, "the reader's own message with another commit, well signed", ROUND.close_of(
        [ROUND.masked(ALPHA, commit=drawn("commit")), m[5], m[9]]
    )
    yield "other_psi", False, "bravo's message is of another attempt", ROUND.close_of([m[2], ROUND.masked(BRAVO, psi=drawn("psi")), m[9]])
    yield "close_psi", False, "a close of another attempt", ROUND.close_of(m.values(), psi=drawn("psi"))
    yield "other_length", False, "bravo's vector is 8 bytes longer", ROUND.close_of([m[2], ROUND.masked(BRAVO, length=ROUND.length + 8), m[9]])
    yield "unsigned", False, "one bit of charlie's signature", ROUND.close_of([m[2], m[5], flipped(m[9])])
    yield "by_a_site", False, "signed by a site instead of the coordinator", ROUND.close_of(m.values(), signer=BRAVO)


def honest_tags(i):
    return [{"site": j, "tag": tag(ROUND.seeds[i, j], ROUND.psi_secret)} for j in NUMBERS if j != i]


def first_flipped():
    tags = honest_tags(5)
    return [{**tags[0], "tag": flipped(tags[0]["tag"])}, tags[1]]


def second_flipped():
    tags = honest_tags(9)
    return [tags[0], {**tags[1], "tag": flipped(tags[1]["tag"])}]


def seals():
    secret, data = drawn("s"), drawn("key")
    sealed = seal(x25519_public(secret), data, drawn("e"))
    yield "seal", True, "as it should be", secret, sealed
    yield "other_secret", False, "sealed to another key", drawn("other"), sealed
    for name, at in (("ephemeral", 0), ("tag", 32), ("data", -1)):
        yield f"{name}_flipped", False, f"one bit of its {name}", secret, flipped(sealed, at)
    yield "truncated", False, "the last byte is missing", secret, sealed[:-1]
    yield "short", False, "47 bytes", secret, sealed[:47]
    yield "small_order", False, "its ephemeral key is of small order, which makes zeros with every key", secret, bytes(32) + secretbox(
        kdf(b"", "x", b""), bytes(24), data
    )


def secretboxes():
    key, sealed = drawn("k"), wrap(drawn("k"), drawn("key"), drawn("n", 24))
    yield "secretbox", True, "as it should be", key, sealed
    yield "other_key", False, "under another key", drawn("other"), sealed
    for name, at in (("nonce", 0), ("tag", 24), ("data", -1)):
        yield f"{name}_flipped", False, f"one bit of its {name}", key, flipped(sealed, at)
    yield "truncated", False, "the last byte is missing", key, sealed[:-1]
    yield "short", False, "39 bytes", key, sealed[:39]


def reveals():
    """(name, taken?, why, site, ψ, sealed, what M4 committed to)."""
    psi, b = ROUND.psi_secret, ROUND.b[5]
    right = commit(b, psi)
    nonce = drawn("reveal of 5", 24)
    sealed = wrap(reveal_key(KEY, psi, 5), b, nonce)
    yield "reveal", True, "as it should be", 5, psi, sealed, right
    yield "other_site", False, "sealed as another site's", 5, psi, wrap(reveal_key(KEY, psi, 9), b, nonce), right
    yield "other_round", False, "sealed in another round", 5, psi, wrap(reveal_key(KEY, drawn("psi"), 5), b, nonce), right
    yield "other_b", False, "another mask than that which M4 committed to", 5, psi, wrap(reveal_key(KEY, psi, 5), drawn("b"), nonce), right
    yield "other_commit", False, "M4 committed in another round", 5, psi, sealed, commit(b, drawn("psi"))
    yield "flipped", False, "one bit", 5, psi, flipped(sealed), right


def proofs():
    """(door, name, taken?, why, values)."""
    leaves = [leaf_hash(bytes([n])) for n in range(11)]
    root, old = tree_root(leaves), tree_root(leaves[:6])
    path, way = inclusion(4, leaves), consistency(6, leaves)
    right = {"leaf": leaves[4], "index": 4, "size": 11, "proof": path, "root": root}
    for name, taken, why, changed in (
        ("inclusion", True, "as it should be", {}),
        ("other_leaf", False, "another leaf", {"leaf": leaves[5]}),
        ("other_index", False, "at another place", {"index": 5}),
        ("outside", False, "behind the end", {"index": 11}),
        ("other_root", False, "one bit of the root", {"root": flipped(root)}),
        ("shorter", False, "a hash less", {"proof": path[:-1]}),
        ("longer", False, "a hash more", {"proof": [*path, root]}),
        ("swapped", False, "two hashes in the other's place", {"proof": [path[1], path[0], *path[2:]]}),
    ):
        yield "inclusion", name, taken, why, {**right, **changed}
    right = {"old": 6, "old_root": old, "size": 11, "root": root, "proof": way}
    for name, taken, why, changed in (
        ("consistency", True, "as it should be", {}),
        ("same", True, "nothing was added", {"old": 11, "old_root": root, "proof": []}),
        ("forked", False, "another log of that size", {"old_root": tree_root([*leaves[:5], leaves[0]])}),
        ("other_size", False, "from another size", {"old": 7}),
        ("backwards", False, "from a larger log", {"old": 11, "old_root": root, "size": 6, "root": old}),
        ("shorter", False, "a hash less", {"proof": way[:-1]}),
        ("longer", False, "a hash more", {"proof": [*way, root]}),
        ("flipped", False, "one bit of a hash", {"proof": [flipped(way[0]), *way[1:]]}),
        ("same_other_root", False, "the same size, another root", {"old": 11, "old_root": old, "proof": []}),
    ):
        yield "consistency", name, taken, why, {**right, **changed}


def judged(name, taken, check, *arguments):
    """Our own reading must say the same."""
    try:
        check(*arguments)
    except Refused as why:
        assert not taken, (name, why)
    else:
        assert taken, name


def refused_file():
    out = {"message": [], "roster": [], "close": [], "seal": [], "secretbox": [], "reveal": [], "inclusion": [], "consistency": []}

    def told(door, name, taken, why, values):
        out[door].append({"name": name, "taken": taken, "why": why, **values})

    for name, taken, why, frame0, frame1, kinds in messages():
        judged(name, taken, open_message, frame0, frame1, kinds, DIRECTORY)
        told("message", name, taken, why, {"kind": kinds[0], "frame0": frame0, **({"frame1": frame1} if frame1 else {})})
    for door, all_of, check in (("roster", rosters, check_roster), ("close", closes, check_close)):
        for name, taken, why, data in all_of():
            judged(name, taken, check, context(), data)
            told(door, name, taken, why, {"own": 2, "frame0": data})
    for door, all_of, check in (("seal", seals, seal_open), ("secretbox", secretboxes, wrap_open)):
        for name, taken, why, key, sealed in all_of():
            judged(name, taken, check, key, sealed)
            told(door, name, taken, why, {"secret": key, "sealed": sealed})
    for name, taken, why, site, psi, sealed, right in reveals():
        judged(name, taken, check_reveal, KEY, psi, site, sealed, right)
        told("reveal", name, taken, why, {"circle_key": KEY, "psi_secret": psi, "site": site, "sealed": sealed, "commit": right})
    for door, name, taken, why, v in proofs():
        if door == "inclusion":
            judged(name, taken, check_inclusion, v["leaf"], v["index"], v["size"], v["proof"], v["root"])
        else:
            judged(name, taken, check_consistency, v["old"], v["old_root"], v["size"], v["root"], v["proof"])
        told(door, name, taken, why, v)
    return out
