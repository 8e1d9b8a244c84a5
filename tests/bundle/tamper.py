"""What somebody could do to a bundle. Usage: tamper.py BUNDLE.tar FOLDER N COMMAND…

Each altered copy is FOLDER/t.tar; COMMAND must end with status 2 every time: a bit turned in every file and in N
other places, files swapped, taken out, put in, renamed, made links, put in twice, and files that claim to be large."""
import io, os, random, subprocess, sys, tarfile

source, folder, n, command = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
whole = open(source, "rb").read()
target = os.path.join(folder, "t.tar")
tried = 0


def judge(what, data):
    global tried
    with open(target, "wb") as out:
        out.write(data)
    run = subprocess.run(command + [target], capture_output=True, text=True)
    tried += 1
    if run.returncode != 2 or "expected" not in run.stderr:
        raise SystemExit(f"{what}: expected status 2 with a sentence, found {run.returncode}: {run.stderr}{run.stdout}")


def members():
    with tarfile.open(source) as tar:
        return [(m, tar.extractfile(m).read()) for m in tar.getmembers()]


def packed(parts, **keywords):
    """As maille lays it out, where nothing else is asked: owner, time and mode are those of the members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=keywords.pop("format", tarfile.USTAR_FORMAT)) as tar:
        for member, data in parts:
            member = tarfile.TarInfo.frombuf(member.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"), "utf-8", "strict")
            for key, value in keywords.items():
                setattr(member, key, value)
            if member.isreg():
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    text = out.getvalue().rstrip(b"\0")
    text += bytes(-len(text) % 512)
    return text + bytes(1024)


parts = members()
folder_name = parts[0][0].name.split("/")[0]
rng = random.Random(11)
some = [part for i, part in enumerate(parts) if "messages/" not in part[0].name or i % 5 == 0]
for member, data in some:  # a bit of every file: anywhere, and the last byte
    for at in {rng.randrange(len(data)), len(data) - 1}:
        place = member.offset_data + at
        judge(f"a bit of {member.name}", whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1:])
for _ in range(n):
    place = rng.randrange(len(whole))
    judge(f"a bit of byte {place}", whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1:])
for i, (member, data) in enumerate(parts):
    if (member, data) not in some:  # one message stands for the next four
        continue
    judge(f"without {member.name}", packed(parts[:i] + parts[i + 1:]))
    judge(f"{member.name} twice", packed(parts[:i + 1] + parts[i:]))
    other = parts[(i + 1) % len(parts)][1]
    judge(f"{member.name} with another's bytes", packed(parts[:i] + [(member, other)] + parts[i + 1:]))
    link = tarfile.TarInfo(member.name)
    link.type, link.linkname = tarfile.SYMTYPE, "study.yaml"
    judge(f"{member.name} as a link", packed(parts[:i] + [(link, b"")] + parts[i + 1:]))


def extra(name, data=b"x"):
    member = tarfile.TarInfo(name)
    return sorted(parts + [(member, data)], key=lambda part: part[0].name)


for name in ("note.txt", "messages/999-note", "../outside", "/etc/x", ".hidden", "messages/../study.yaml"):
    judge(f"{name} put in", packed(extra(f"{folder_name}/{name}" if not name.startswith("/") else name)))
judge("a file of another folder", packed(extra("other/note.txt")))
judge("files in another order", packed(parts[::-1]))
judge("another owner", packed(parts, uid=1000))
judge("another time", packed(parts, mtime=1))
judge("another form", packed(parts, format=tarfile.PAX_FORMAT, uname="é"))
judge("cut", whole[:len(whole) // 2])
judge("a block behind the end", whole + bytes(512))
judge("packed", __import__("gzip").compress(whole))
judge("nothing", b"")
for kind in (tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE, tarfile.GNUTYPE_SPARSE):
    odd = tarfile.TarInfo(f"{folder_name}/odd")
    odd.type, odd.linkname = kind, "study.yaml"
    judge(f"a member of type {kind}", packed(sorted(parts + [(odd, b"")], key=lambda part: part[0].name)))
bomb = tarfile.TarInfo(f"{folder_name}/A")
bomb.size = 8**11 - 1
judge("a file that claims eight gibibytes", bomb.tobuf(tarfile.USTAR_FORMAT) + whole)
judge("ten thousand files", packed([(tarfile.TarInfo(f"{folder_name}/a{i:05}"), b"") for i in range(10000)]))
deep = b'{"a":' * 100000
judge("a result nested a hundred thousand deep", packed([(m, deep if m.name.endswith("result.json") else d) for m, d in parts]))
print(f"{tried} tamperings, each found")
