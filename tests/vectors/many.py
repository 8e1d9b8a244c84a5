"""many.py FEDERATE TMP: 90,000 patients, in whom products of two counts pass 2^31 and, with weights of 50,000, 2^53 (therneau/survival#54,
riskRegression#13, Mediana#5): every number is R's. The patients are made here, the same each time, and not kept: 2 MB.

many.py data FILE.csv: writes them alone; many.R makes many.truth.json of them."""
import os, subprocess, sys

N = 90000


def write(path):
    state = 54

    def draw(below):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) * below >> 31

    with open(path, "w") as file:
        file.write("pid,g,h,x,t,e,w\n")
        for i in range(N):
            g, h, x = draw(2), draw(3), draw(21)
            t = min(1 + draw(40) * (1 + draw(30 + 5 * g - x)) // 3, 400)
            e, w = draw(10) < 6 + h, 50000 + 25 * draw(41)
            file.write(f"M{i:05},{'AB'[g]},{'uvw'[h]},{x},{t},{int(e)},{w}\n")


def main():
    federate, tmp = sys.argv[1:]
    data, out = os.path.join(tmp, "many.csv"), os.path.join(tmp, "many.json")
    write(data)
    subprocess.run([federate, f"many={data}", "tests/vectors/many.study.yaml", "7", "1", out, "2"], check=True)
    command = [sys.executable, "tests/compare.py", out, "tests/vectors/many.truth.json", "--rtol", "1e-9", "--atol", "1e-300", "--field-rtol",
               "p_value=1e-7", "--strict-labels", "--all"]
    return subprocess.run(command).returncode


if sys.argv[1] == "data":
    write(sys.argv[2])
else:
    sys.exit(main())
