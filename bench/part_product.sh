# Products of terms beside OpenBLAS, which is fetched (not installed: R's own BLAS stays) where apt-get can and it is
# not there.
folder=$1 bin=$3
if [ -z "${MAILLE_OPENBLAS:-}" ] && ! ldconfig -p | grep -q 'libopenblas\.so\.0'; then
    blas=$(find "$folder/openblas" -name libopenblas.so.0 2>/dev/null | head -n 1)
    if [ -z "$blas" ]; then
        mkdir -p "$folder/openblas"
        (cd "$folder/openblas" && apt-get download libopenblas0-pthread && dpkg -x libopenblas0-pthread_*.deb .) >&2 || true
        blas=$(find "$folder/openblas" -name libopenblas.so.0 2>/dev/null | head -n 1)
    fi
    [ -z "$blas" ] || export MAILLE_OPENBLAS="$blas"
fi
for threads in 1 2; do
    "$bin/speed_product" 1000000 "$threads" || exit 1
done
