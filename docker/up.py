#!/usr/bin/env python3
"""The containers of a compose file, for engines without `docker compose`: up.py FILE PREFIX [ENGINE WORD…]

Makes its networks and starts its services, those that others depend on first. Each key of the file is obeyed, or ends
this with its name. Names of services are looked up in /etc/hosts (`--add-host`). ENGINE WORD…: before `run`."""
import json
import os
import re
import subprocess
import sys

import yaml

FLAGS = {"restart": "--restart", "mem_limit": "--memory", "memswap_limit": "--memory-swap", "pids_limit": "--pids-limit", "user": "--user"}
LISTS = {"cap_drop": "--cap-drop", "security_opt": "--security-opt", "tmpfs": "--tmpfs", "volumes": "--volume"}
KNOWN = set(FLAGS) | set(LISTS) | {"image", "read_only", "ulimits", "networks", "depends_on", "secrets"}


def main():
    path, prefix, engine = sys.argv[1], sys.argv[2], sys.argv[3:]

    def ask(*words):
        return subprocess.run([*engine, *words], check=True, capture_output=True, text=True).stdout

    def file_path(text):
        text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: os.environ.get(m[1], m[2]), text)
        return text if text.startswith("/") else os.path.join(os.path.dirname(os.path.abspath(path)), text)

    with open(path, encoding="utf-8") as file:
        told = yaml.safe_load(file)
    for name, network in told["networks"].items():
        unknown = set(network) - {"internal", "driver_opts"}
        if unknown:
            sys.exit(f"network {name}: expected what is known here, found {unknown}")
        ask("network", "create", *(["--internal"] if network.get("internal") else []), f"{prefix}-{name}")
    hosts, waiting = {}, dict(told["services"])
    while waiting:
        name = next(n for n, s in waiting.items() if not set(s.get("depends_on", [])) & set(waiting))
        service = waiting.pop(name)
        unknown = set(service) - KNOWN
        if unknown:
            sys.exit(f"service {name}: expected what is known here, found {unknown}")
        words = ["run", "-d", "--name", f"{prefix}-{name}"]
        for key, flag in FLAGS.items():
            words += [flag, str(service[key])] if key in service else []
        for key, flag in LISTS.items():
            for value in service.get(key, []):
                words += [flag, file_path(value) if key == "volumes" else value]
        words += ["--read-only"] if service.get("read_only") else []
        for limit, value in service.get("ulimits", {}).items():
            words += ["--ulimit", f"{limit}={value}:{value}"]
        for secret in service.get("secrets", []):
            words += ["--volume", file_path(told["secrets"][secret["source"]]["file"]) + f":/run/secrets/{secret['target']}:ro"]
        for network in service["networks"]:
            words += ["--network", f"{prefix}-{network}"]
            for other, addresses in hosts.items():
                words += ["--add-host", f"{other}:{addresses[network]}"] if network in addresses else []
        ask(*words, service["image"])
        found = json.loads(ask("inspect", f"{prefix}-{name}"))[0]["NetworkSettings"]["Networks"]
        hosts[name] = {network: found[f"{prefix}-{network}"]["IPAddress"] for network in service["networks"]}
    json.dump(hosts, sys.stdout)


main()
