#!/bin/sh
# The bill of materials of a program in CycloneDX 1.5 (JSON), from what dpkg knows of the packages that it links.
#   docker/sbom.sh PROGRAM PACKAGES      PACKAGES: a file with a Debian package on each line
set -eu
program=$1 packages=$2
name=$(basename "$program")
version=$("$program" --version | awk '{ print $2; exit }')
hash=$(sha256sum "$program" | cut -d' ' -f1)
release=$(. /etc/os-release && echo "$ID-$VERSION_ID")
# shellcheck disable=SC2046
dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' $(cat "$packages") |
    awk -F '\t' -v name="$name" -v version="$version" -v hash="$hash" -v release="$release" '
    # A version in a purl: letters, digits, . - _ ~ as they are, all else by its number (package-url, percent-encoding).
    function encoded(text) { gsub(/%/, "%25", text); gsub(/\+/, "%2B", text); gsub(/:/, "%3A", text); return text }
    BEGIN {
        own = "pkg:generic/" name "@" encoded(version)
        printf "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n"
        printf "  \"metadata\": {\n    \"component\": { \"type\": \"application\", \"bom-ref\": \"%s\", \"name\": \"%s\", \"version\": \"%s\",\n", own, name, version
        printf "      \"purl\": \"%s\", \"hashes\": [{ \"alg\": \"SHA-256\", \"content\": \"%s\" }],\n", own, hash
        printf "      \"licenses\": [{ \"license\": { \"id\": \"GPL-3.0-or-later\" } }] }\n  },\n  \"components\": ["
    }
    {
        ref = "pkg:deb/debian/" encoded($1) "@" encoded($2) "?arch=" $3 "&distro=" release
        printf "%s\n    { \"type\": \"library\", \"bom-ref\": \"%s\", \"name\": \"%s\", \"version\": \"%s\", \"purl\": \"%s\",\n", (NR > 1 ? "," : ""), ref, $1, $2, ref
        printf "      \"properties\": [{ \"name\": \"debian:source\", \"value\": \"%s %s\" }] }", $4, $5
        refs = refs (NR > 1 ? ", " : "") "\"" ref "\""
    }
    END { printf "\n  ],\n  \"dependencies\": [{ \"ref\": \"%s\", \"dependsOn\": [%s] }]\n}\n", own, refs }'
