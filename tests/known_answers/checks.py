"""What docs/PROTOCOL.md demands of bytes that come from others: each function returns, or raises Refused."""
from primitives import Refused, ed25519_check, x25519_shared
from protocol import KINDS, TYPES, commit, encode, node_hash, reveal_key, signed, wrap_open


def need(holds, why):
    if not holds:
        raise Refused(why)


# Section 2: messages

SITE, RESEARCHER, COORDINATOR = "site", "researcher", "coordinator"
SIGNED = {
    "catalogue": [SITE], "manifest": [RESEARCHER], "ready": [SITE], "call": [RESEARCHER], "accept": [SITE], "roster": [COORDINATOR],
    "start": [RESEARCHER], "refuse": [SITE], "masked": [SITE], "close": [COORDINATOR], "reveal": [SITE], "sum": [COORDINATOR],
    "end": [RESEARCHER], "cancel": [RESEARCHER, SITE], "log_head": [SITE, COORDINATOR], "taken": [SITE], "result": [SITE],
}  # fmt: skip
FRAMED = {"start", "masked", "segment", "custody", "result"}


def varint(data, at):
    value = shift = 0
    while True:
        need(at < len(data) and shift < 70, "truncated")
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def decode(name, data):
    """{field: value} of a message in its one form; Refused for any other bytes."""
    names = {number: (field, kind, repeated) for field, (number, kind, repeated) in TYPES[name].items()}
    out, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        need(key >> 3 in names, "an unknown field")
        field, kind, repeated = names[key >> 3]
        number = kind in ("uint32", "uint64", "int64")
        need(key & 7 == (0 if number and not repeated else 2), "a field of another type")
        value, at = varint(data, at)
        if key & 7 == 0:
            need(value < (1 << 32 if kind == "uint32" else 1 << 64), "too large a number")
            out[field] = value
            continue
        need(at + value <= len(data), "truncated")
        part, at = data[at : at + value], at + value
        if number:
            where, out[field] = 0, []
            while where < len(part):
                each, where = varint(part, where)
                out[field].append(each)
            continue
        if kind == "string":
            part = part.decode()
        elif kind != "bytes":
            part = decode(kind, part)
        if repeated:
            out.setdefault(field, []).append(part)
        else:
            out[field] = part
    need(encode(name, **out) == data, "not in its one form")
    return out


def body_name(kind):
    return "".join(word.capitalize() for word in KINDS[kind].split("_"))


BYTES = {"qid": 32, "psi": 32, "manifest_hash": 32, "ek": 32, "vector_hash": 32, "commit": 32, "tag": 16}


def sized(body):
    """Hashes, keys and identifiers have their length."""
    for field, length in BYTES.items():
        need(not isinstance(body.get(field), bytes) or len(body[field]) == length, "length of " + field)
    return body


def open_message(data, frame, kinds, directory):
    """(kind, sender, body): of one of the kinds, signed by whom the page's table names; directory: {name: (role, IK)}."""
    message = decode("Envelope", data)
    kind, sender = message.get("kind", 0), message.get("from", "")
    need(kind in KINDS and KINDS[kind] in kinds, "kind")
    need((frame is None) or KINDS[kind] in FRAMED, "superfluous frame")
    need(("signature" in message) == (KINDS[kind] in SIGNED), "signature is missing or superfluous")
    if "signature" in message:
        need(sender in directory, "nobody of the directory")
        role, identity = directory[sender]
        need(role in SIGNED[KINDS[kind]], "role")
        ed25519_check(identity, signed(KINDS[kind], message.get("body", b"")), message["signature"])
    return kind, sender, sized(decode(body_name(kind), message.get("body", b"")))


# Section 3: what a site checks. `query` is a dictionary: qid, qh, sites (of the manifest), n_min, numbers {name: site}, directory,
# entities {site: legal entity}; then own (number), accept (own envelope), masked (own envelope), psi, members.


def check_roster(query, data):
    _, _, roster = open_message(data, None, ["roster"], query["directory"])
    need(roster["qid"] == query["qid"], "qid")
    sites = []
    for envelope in roster.get("accepts", []):
        _, sender, accept = open_message(envelope, None, ["accept"], query["directory"])
        need(accept["site"] == query["numbers"].get(sender), "site")
        need(accept["qid"] == query["qid"] and accept["manifest_hash"] == query["qh"], "of another manifest")
        need(accept["site"] in query["sites"], "not of the manifest")
        x25519_shared(bytes([1]) * 32, accept["ek"])
        need(not sites or accept["site"] > sites[-1], "not ascending")
        need(accept["site"] != query["own"] or envelope == query["accept"], "own accept")
        sites.append(accept["site"])
    need(query["own"] in sites, "own accept")
    need(len({query["entities"][site] for site in sites}) == len(sites), "legal entities")
    need(len(sites) >= query["n_min"], "n_min")


def check_close(query, data):
    _, _, close = open_message(data, None, ["close"], query["directory"])
    need(close["qid"] == query["qid"] and close["psi"] == query["psi"], "psi")
    messages, tags, own = [], {}, False
    for envelope in close.get("masked", []):
        _, sender, message = open_message(envelope, None, ["masked"], query["directory"])
        need(message["site"] == query["numbers"].get(sender), "site")
        need(message["qid"] == query["qid"] and message["psi"] == query["psi"], "psi")
        own = own or envelope == query["masked"]
        messages.append(message)
        for tag in message.get("tags", []):
            tags[message["site"], tag["site"]] = tag["tag"]
    members = [message["site"] for message in messages]
    need(members == query["members"], "members")
    need(own, "own message")
    need(len({message.get("length", 0) for message in messages}) == 1, "lengths")
    need(set(tags) == {(i, j) for i in members for j in members if i != j}, "tags")
    for i, j in tags:
        need(tags[i, j] == tags[j, i], "tags of a pair")


def check_reveal(key, psi, site, sealed, committed):
    """Section 7, custody: what a member revealed in a round after the first."""
    b = wrap_open(reveal_key(key, psi, site), sealed)
    need(commit(b, psi) == committed, "commit")
    return b


# Proofs of RFC 9162 sections 2.1.3.2 and 2.1.4.2


def check_inclusion(leaf, index, size, proof, root):
    need(index < size, "index")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        need(sn > 0, "too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and r == root, "root")


def check_consistency(old, old_root, size, root, proof):
    need(0 < old <= size, "size")
    if old == size:
        need(not proof and old_root == root, "root")
        return
    path = ([old_root] if old & (old - 1) == 0 else []) + proof
    need(path, "too short")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn > 0, "too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old_root and sr == root, "root")
