#!/usr/bin/python3
"""Known answers of docs/PROTOCOL.md, for whoever writes another maille (README.md says what is in which file).

    tests/known_answers/known_answers.py            makes the files again
    tests/known_answers/known_answers.py --check    fails where a file is not what this program makes

Everything is worked out twice: here, and by the C (known_answers_test.c), which reads the files.
"""
import json
import pathlib
import sys

import primitives
from exchange import query_file
from pieces import pieces_file
from primitives import Refused, chacha20, ed25519_public
from refused import refused_file

HERE = pathlib.Path(__file__).parent


def plain(value):
    """For JSON: bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def dumped(value):
    """JSON with one line for each innermost object."""

    def flat(v):
        return not isinstance(v, dict) or not any(isinstance(x, dict) or isinstance(x, list) and any(isinstance(y, dict) for y in x) for x in v.values())

    def write(v, indent):
        if isinstance(v, dict) and not flat(v):
            inner = ",\n".join(f"{indent} {json.dumps(k)}: {write(x, indent + ' ')}" for k, x in v.items())
            return "{\n" + inner + "\n" + indent + "}"
        if isinstance(v, list) and v and isinstance(v[0], dict):
            return "[\n" + ",\n".join(indent + " " + write(x, indent + " ") for x in v) + "\n" + indent + "]"
        return json.dumps(v, ensure_ascii=False)

    return write(plain(value), "") + "\n"


# --- primitives.json: what others published; it is read, not made ---


def check_primitives(files):
    h = bytes.fromhex
    for case in files["primitives.json"]["x25519"]:
        assert primitives.x25519(h(case["k"]), h(case["u"])).hex() == case["out"], case
    for case in files["primitives.json"]["ed25519"]:
        assert ed25519_public(h(case["seed"])).hex() == case["public"], case
        assert primitives.ed25519_sign(h(case["seed"]), h(case["message"])).hex() == case["signature"], case
        primitives.ed25519_check(h(case["public"]), h(case["message"]), h(case["signature"]))
    for case in files["primitives.json"]["ed25519_refused"]:
        try:
            primitives.ed25519_check(h(case["public"]), h(case["message"]), h(case["signature"]))
        except Refused:
            continue
        raise AssertionError(case)
    for case in files["primitives.json"]["chacha20"]:
        assert chacha20(h(case["key"]), len(case["keystream"]) // 2, bytes(8)).hex() == case["keystream"], case
    for case in files["primitives.json"]["blake2b"]:
        out = primitives.hashlib.blake2b(h(case["data"]), key=h(case["key"]), digest_size=case["bytes"])
        assert out.hexdigest() == case["hash"], case
    for case in files["primitives.json"]["sha256"]:
        assert primitives.hashlib.sha256(h(case["data"])).hexdigest() == case["hash"], case
    for case in files["primitives.json"]["secretbox"]:
        assert primitives.secretbox(h(case["key"]), h(case["nonce"]), h(case["data"])).hex() == case["sealed"], case
    for case in files["primitives.json"]["xchacha20poly1305"]:
        sealed = primitives.xchacha20_poly1305(h(case["key"]), h(case["nonce"]), h(case["data"]), h(case["more"]))
        assert sealed.hex() == case["sealed"], case
    for case in files["primitives.json"]["poly1305"]:
        assert primitives.poly1305(h(case["key"]), h(case["data"])).hex() == case["tag"], case


def main(check):
    made = {"query.json": query_file, "pieces.json": pieces_file, "refused.json": refused_file}
    files = {"primitives.json": json.loads((HERE / "primitives.json").read_text())}
    check_primitives(files)
    for name, make in made.items():
        text = dumped(make())
        if check and (HERE / name).read_text() != text:
            sys.exit(f"tests/known_answers/{name}: expected what known_answers.py makes, found something else")
        if not check:
            (HERE / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:] == ["--check"])
