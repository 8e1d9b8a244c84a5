/* crypto/identity.h: key files. The header alone: a passphrase would cost half a second an input. */
#include <unistd.h>

#include "crypto/identity.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maille_error error = {0};
    struct public_keys keys;
    struct secret_keys *opened = NULL;
    enum key_role role;
    char name[48], path[PATH_MAX], credential_path[PATH_MAX];
    static const uint8_t credential[KEY_BYTES] = {1};
    bool by_credential;
    int fd, credential_fd;
    if (crypto_start(NULL) != MAILLE_OK)
        fuzz_fail("libsodium");
    fuzz_file(path, &fd, data, size);
    fuzz_file(credential_path, &credential_fd, credential, sizeof credential);
    if (keyfile_header(&role, name, &keys, &by_credential, path, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        const struct key_unlock unlock = {.credential_path = credential_path};
        if (!identity_name_valid(name))
            fuzz_fail("the name of a party");
        if (by_credential && keyfile_read(&opened, path, &unlock, &error) == MAILLE_OK)
            secret_keys_free(opened);
    }
    close(credential_fd);
    close(fd);
    return 0;
}
